// SPDX-License-Identifier: Apache-2.0
#include "perfdata.hpp"

#include "catch.hpp"

using namespace nagios;

TEST_CASE("an item of perfdata is read with its ranges as text", "[exec]") {
  const auto data = parse_perfdata("time=0.123s;1;@2:3;0;10 'free space'=80%;20:;10:");
  REQUIRE(data.items.size() == 2);
  CHECK(data.items[0].label == "time");
  CHECK(data.items[0].value == Approx(0.123));
  CHECK(data.items[0].unit == "s");
  CHECK(data.items[0].warn == "1");
  CHECK(data.items[0].crit == "@2:3");
  CHECK(data.items[0].min == "0");
  CHECK(data.items[0].max == "10");
  CHECK(data.items[1].label == "free space");
  CHECK(data.items[1].unit == "%");
  CHECK(data.items[1].crit == "10:");
  CHECK(data.malformed == 0);
}

TEST_CASE("what plugins really write is read", "[exec]") {
  struct Row {
    std::string text, label;
    double value;
    std::string unit;
  };
  const auto row = GENERATE(values<Row>({
      {"/=17276338176B;243;257;0;270", "/", 17276338176, "B"},
      {"'it''s'=1", "it's", 1, ""},
      {"'a=b'=2", "a=b", 2, ""},
      {"'C:\\ %'=12%", "C:\\ %", 12, "%"},
      {"C:\\=5", "C:\\", 5, ""},
      {"time elapsed=5s", "time elapsed", 5, "s"},
      {"load=0,5", "load", 0.5, ""},
      {"load=0,5s;1,0;2,0", "load", 0.5, "s"},
      {"x=1.5e-3s", "x", 0.0015, "s"},
      {"x=2E+3", "x", 2000, ""},
      {"x=-4", "x", -4, ""},
      {"x=+4", "x", 4, ""},
      {"x=.5", "x", 0.5, ""},
      {"x=5.", "x", 5, ""},
      {"x=1, y=2", "x", 1, ""},
      {"x=1;;;;;;", "x", 1, ""},
      {"  x=1  ", "x", 1, ""},
      {"x=7\xC2\xB5s", "x", 7, "\xC2\xB5s"},
      {"x=3c;;;0;", "x", 3, "c"},
      {"x=12MB/s", "x", 12, "MB/s"},
      {"\r\nx=1\r\n", "x", 1, ""},
  }));
  INFO(row.text);
  const auto data = parse_perfdata(row.text);
  REQUIRE_FALSE(data.items.empty());
  CHECK(data.malformed == 0);
  CHECK(data.items[0].label == row.label);
  CHECK(data.items[0].value == Approx(row.value));
  CHECK(data.items[0].unit == row.unit);
}

TEST_CASE("what is no item is counted and does not hide the next one", "[exec]") {
  struct Row {
    std::string text;
    std::size_t items, malformed, undetermined;
  };
  const auto row = GENERATE(values<Row>({
      {"a= b=2", 1, 1, 0},
      {"a=x b=2", 1, 1, 0},
      {"=1 b=2", 1, 1, 0},
      {"'a'1 b=2", 1, 1, 0},
      {"a=1; 2; 3 b=2", 2, 1, 0},
      {"a=U b=2", 1, 0, 1},
      {"a=nan b=inf c=-inf d=2", 1, 0, 3},
      {"a=1,234.5 b=2", 1, 1, 0},
      {"a=1.2.3 b=2", 1, 1, 0},
      {"a=1toolongtobeaunitofmeasure b=2", 1, 1, 0},
      {"no perfdata at all", 0, 1, 0},
      {"'never ends=1", 0, 1, 0},
      {"=", 0, 1, 0},
      {"'", 0, 1, 0},
      {"''=1 b=2", 1, 1, 0},
      {"", 0, 0, 0},
      {";;;", 0, 1, 0},
      {"rubbish\nb=2", 1, 1, 0},
  }));
  INFO(row.text);
  const auto data = parse_perfdata(row.text);
  CHECK(data.items.size() == row.items);
  CHECK(data.malformed == row.malformed);
  CHECK(data.undetermined == row.undetermined);
}

TEST_CASE("items, labels and digits are bounded", "[exec]") {
  std::string many;
  for (int i = 0; i < 400; ++i) many += "m" + std::to_string(i) + "=1 ";
  CHECK(parse_perfdata(many).items.size() == max_items);
  CHECK(parse_perfdata(many).dropped == 400 - max_items);
  CHECK(parse_perfdata(std::string(300, 'l') + "=1").malformed == 1);
  CHECK(parse_perfdata("x=" + std::string(100000, '9')).malformed == 1);
}

TEST_CASE("time, size and percent become s, B and ratio, ranges with them", "[exec]") {
  auto item = to_base_unit(parse_perfdata("rta=250ms;100:200;~:500;0;").items.at(0));
  CHECK(item.value == Approx(0.25));
  CHECK(item.unit == "s");
  CHECK(item.warn == "0.1:0.2");
  CHECK(item.crit == "~:0.5");
  CHECK(item.min == "0");
  item = to_base_unit(parse_perfdata("used=57%;80%;@90:100").items.at(0));
  CHECK(item.value == 0.57);
  CHECK(item.unit == "ratio");
  CHECK(item.warn == "0.8");
  CHECK(item.crit == "@0.9:1");
  item = to_base_unit(parse_perfdata("size=2MiB;1KB;nonsense;:").items.at(0));
  CHECK(item.value == 2097152);
  CHECK(item.unit == "B");
  CHECK(item.warn.empty());  // another unit than the value's: no range
  CHECK(item.crit.empty());
  item = to_base_unit(parse_perfdata("temp=21C;10:30").items.at(0));
  CHECK(item.value == 21);
  CHECK(item.unit == "C");
  CHECK(item.warn == "10:30");
}

TEST_CASE("output is summary, detail and perfdata as Nagios 3 lays them out", "[exec]") {
  const auto out = split_output(
      "DISK OK - free space | /=1;2\n"
      "/ 15272 MB (77%);\n"
      "/boot 68 MB (69%); | /boot=68MB\n"
      "/home=69357MB\n");
  CHECK(out.summary == "DISK OK - free space");
  CHECK(out.detail == "/ 15272 MB (77%);\n/boot 68 MB (69%);");
  CHECK(out.perfdata == " /=1;2\n /boot=68MB\n/home=69357MB");
  CHECK(split_output("\n\nOK\r\n").summary == "OK");
  CHECK(split_output("").summary.empty());
  CHECK(split_output("|a=1").perfdata == "a=1");
  CHECK(split_output("OK||a=1").perfdata == "|a=1");
}
