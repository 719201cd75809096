// SPDX-License-Identifier: Apache-2.0
// The same check as everything.c, by the glue, with what C++ has of its own between the border's two sides: exceptions through
// frames of the standard library, virtual calls, texts, containers, streams, a regex, a thread. Each part says what went
// wrong in it, so a flag that breaks one is told by name.
#include <ronda/plugin.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <iomanip>
#include <memory>
#include <regex>
#include <sstream>
#include <thread>
#include <unordered_map>

namespace {

enum class Small : unsigned char { one = 1, two };
enum Wide { wide_one = 1, wide_two = 70000 };

struct Odd {
  int number;
};

struct Told : std::runtime_error {
  explicit Told(const std::string& text, Wide number) : std::runtime_error(text), number(number) {}
  Wide number;
};

struct Counted {
  explicit Counted(int& living) : living_(living) { ++living_; }
  ~Counted() { --living_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  int& living_;
};

struct Shape {
  virtual ~Shape() = default;
  virtual Small kind() const { return Small::one; }
};
struct Square : virtual Shape {
  Small kind() const override { return Small::two; }
};

constexpr const char* long_text = "from below, in more words than a small string has room for";

int deep(int depth, int& living) {
  Counted here(living);
  if (depth == 0) throw Told(long_text, wide_two);
  return deep(depth - 1, living) + 1;
}

std::string exceptions() {
  int living = 0;
  try {
    deep(8, living);
    return "nothing was thrown; ";
  } catch (const std::exception& e) {
    if (living != 0) return "frames were left without their destructors; ";
    if (std::string(e.what()) != long_text) return "an exception has another text; ";
  }
  try {  // thrown and caught within the standard library's own frames
    std::vector<int> numbers{3, 1, 2};
    std::sort(numbers.begin(), numbers.end(), [](int, int) -> bool { throw Told("in a comparison", wide_one); });
    return "nothing came out of std::sort; ";
  } catch (const Told& told) {
    if (told.number != wide_one) return "an exception has another number; ";
  }
  try {  // made in the library's code, if that is not in headers
    (void)std::stoi("no number");
    return "std::stoi takes anything; ";
  } catch (const std::invalid_argument&) {
  }
  try {
    std::regex broken("(");
    return "std::regex takes anything; ";
  } catch (const std::regex_error&) {
  }
  std::exception_ptr carried;
  std::thread other([&carried] {
    try {
      throw Told("on a thread", wide_two);
    } catch (...) {
      carried = std::current_exception();
    }
  });
  other.join();
  try {
    std::rethrow_exception(carried);
  } catch (const Told& told) {
    return told.what() == std::string("on a thread") ? "" : "an exception changed on its way between threads; ";
  }
}

std::string types() {
  std::unique_ptr<Shape> shape = std::make_unique<Square>();
  if (shape->kind() != Small::two) return "a virtual call goes elsewhere; ";
#ifdef __cpp_rtti
  if (dynamic_cast<Square*>(shape.get()) == nullptr) return "a dynamic_cast fails; ";
#endif
  std::function<std::size_t(std::string)> measure = [&shape](std::string text) { return text.size() + (shape ? 1U : 0U); };
  return measure(std::string(100, 'x')) == 101 ? "" : "a std::function answers something else; ";
}

std::string library(const std::map<std::string, std::int64_t>& weights) {
  std::unordered_map<std::string, int> seen;
  for (const auto& weight : weights) ++seen[weight.first];
  if (seen.size() != weights.size()) return "an unordered_map loses something; ";
  std::ostringstream stream;
  stream << std::setw(4) << std::setfill('0') << std::hex << 255 << ' ' << std::fixed << std::setprecision(2) << 2.5;
  if (stream.str() != "00ff 2.50") return "a stream writes " + stream.str() + "; ";
  static const std::regex number("([0-9]+)-([a-z]+)");
  std::smatch parts;
  const std::string line = "12-ab";
  if (!std::regex_match(line, parts, number) || parts[2] != "ab") return "a regex does not match; ";
  static thread_local std::string kept;
  kept += "abc";
  return kept == "abc" ? "" : "a thread_local text is not its thread's; ";
}

}  // namespace

struct Everything : ronda::check {
  std::string who = ronda::cfg<std::string>("who"), end = ronda::cfg<std::string>("end");
  std::chrono::milliseconds span = ronda::cfg<std::chrono::milliseconds>("span");
  double share = ronda::cfg<double>("share");
  bool strict = ronda::cfg<bool>("strict");
  std::vector<std::string> words = ronda::cfg<std::vector<std::string>>("words");
  std::map<std::string, std::int64_t> weights = ronda::cfg<std::map<std::string, std::int64_t>>("weights");
  std::optional<int> absent = ronda::cfg<std::optional<int>>("absent");

  ronda::result run(ronda::call& c) override {
    if (end == "error") throw Told("as it was told to, " + who, wide_two);
    if (end == "odd") throw Odd{1};
    // on a thread that ends, for a second call on this one would find what the first kept
    std::string wrong;
    std::thread([&] { wrong = exceptions() + types() + library(weights); }).join();

    c.metric("share", share, ronda::ratio, 0.5, 0.75);
    for (const auto& [name, weight] : weights) c.metric("weight", weight, ronda::none, {}, {}, {{"name", name}});
    c.event("seen", who, {{"first", words.at(0)}});
    c.progress(0.5, "half of it");
    log().info("before ", who, " come ", words.size(), " words");

    const std::int64_t before = kv().get_i64("runs").value_or(0);
    if (!kv().put("runs", before + 1) || kv().get_i64("runs").value_or(0) != before + 1) wrong += "nothing is kept; ";

    std::string detail;
    for (const std::string& word : words) detail += "[" + word + "]\n";
    return ronda::warning(wrong, who, strict ? " waits " : " may wait ", span, ", ", ronda::percent(share), ", ",
                          absent ? "more" : "no more")
        .with_detail(detail);
  }
};

RONDA_PLUGIN(Everything)
