// SPDX-License-Identifier: Apache-2.0
// The certificates are made by libcrypto, which is also the oracle for what is on this machine.
#include "x509.hpp"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <random>

#include "certificate.hpp"
#include "temp_folder.hpp"
#include "text.hpp"
#include "under_test.hpp"

using namespace host;
using ronda::status;

namespace {

template <class T, void (*free_it)(T*)>
struct Free {
  void operator()(T* object) const { free_it(object); }
};
using X509Owner = std::unique_ptr<X509, Free<X509, X509_free>>;
using KeyOwner = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;

/// A self-signed certificate in PEM.
std::string make_pem(const std::string& name, std::int64_t not_before_s, std::int64_t not_after_s) {
  static const KeyOwner key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const X509Owner certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 4711);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), not_before_s);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), not_after_s);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>(name.data());
  X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("MiniMarket"), -1, -1, 0);
  if (!name.empty()) X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, static_cast<int>(name.size()), -1, 0);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return pem;
}

constexpr std::int64_t day_s = 86400;
constexpr std::int64_t now_s = 1'735'689'600;  // the fake host's clock: 2025-01-01

}  // namespace

TEST_CASE("dates and names of certificates are those that libcrypto wrote", "[host]") {
  auto [begin, end] = GENERATE(table<std::int64_t, std::int64_t>({{0, 951'782'400},  // 2000-02-29
                                                                  {1'709'164'800, 1'709'251'199},
                                                                  {1'700'000'000, 2'524'607'999},  // the last UTCTime
                                                                  {1'700'000'000, 2'524'608'000},  // 2050: GeneralizedTime
                                                                  {1'700'000'000, 253'402'300'799}}));
  const Certificates found = parse_certificates("# a comment\n" + make_pem("api.example.com", begin, end));
  REQUIRE(found.good.size() == 1);
  CHECK(found.good[0].not_before_s == begin);
  CHECK(found.good[0].not_after_s == end);
  CHECK(found.good[0].name == "api.example.com");
  CHECK(parse_certificates(make_pem("", begin, end)).good[0].name == "MiniMarket");
}

TEST_CASE("every certificate that this machine trusts is read as libcrypto reads it", "[host]") {
  const Contents bundle = read_file("/etc/ssl/certs/ca-certificates.crt", 8 << 20);
  if (bundle.error != 0) return skipped("certificates", "there is no bundle of certificates");
  const Certificates found = parse_certificates(bundle.text);
  CHECK(found.broken == 0);
  BIO* memory = BIO_new_mem_buf(bundle.text.data(), static_cast<int>(bundle.text.size()));
  std::size_t count = 0;
  while (const X509Owner certificate{PEM_read_bio_X509(memory, nullptr, nullptr, nullptr)}) {
    REQUIRE(count < found.good.size());
    CHECK(ASN1_TIME_cmp_time_t(X509_get0_notAfter(certificate.get()), found.good[count].not_after_s) == 0);
    CHECK(ASN1_TIME_cmp_time_t(X509_get0_notBefore(certificate.get()), found.good[count].not_before_s) == 0);
    ++count;
  }
  BIO_free(memory);
  CHECK(count == found.good.size());
}

TEST_CASE("damaged certificates are refused and nothing is read past their end", "[host]") {
  const std::string pem = make_pem("x", 0, day_s);
  const std::size_t begin = pem.find('\n') + 1;
  const std::string der = *decode_base64(std::string_view(pem).substr(begin, pem.find("-----END") - begin));
  REQUIRE(parse_der(der));
  for (std::size_t size = 0; size < der.size(); ++size) {
    const std::vector<char> exact(der.begin(),
                                  der.begin() + static_cast<std::ptrdiff_t>(size));  // ASan sees its end
    CHECK_FALSE(parse_der({exact.data(), exact.size()}));
  }
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<char> bytes(der.begin(), der.end());
    for (int flips = 0; flips < 3; ++flips) bytes[random() % bytes.size()] = static_cast<char>(random());
    parse_der({bytes.data(), bytes.size()});
  }
}

TEST_CASE("a certificate is graded by the days that are left, the first to end counts", "[host]") {
  const TempFolder folder;
  auto [days, expected, part] = GENERATE(table<int, status, const char*>({{30, status::ok, "certificate of a expires in 30d"},
                                                                          {20, status::warning, "certificate of a expires in 20d"},
                                                                          {6, status::critical, "certificate of a expires in 6d"},
                                                                          {-2, status::critical, "certificate of a expired 2d ago"}}));
  const std::string path = folder.write("chain.pem", make_pem("b", 0, now_s + 900 * day_s) + make_pem("a", 0, now_s + days * day_s));
  UnderTest<CertificateCheck> check;
  const auto report = check.set("path", path).run();
  CHECK_THAT(report, Ended(expected, part));
  CHECK_THAT(report, HasMetric("expires_in", static_cast<double>(days * day_s)));
  CHECK_THAT(report, HasMetric("certificates", 2));
}

TEST_CASE("a certificate of tomorrow is critical, a file without one unknown, a hostile name shown", "[host]") {
  const TempFolder folder;
  UnderTest<CertificateCheck> check;
  check.set("path", folder.write("a.pem", make_pem("evil\x1B[2J", now_s + day_s, now_s + 90 * day_s)));
  CHECK_THAT(check.run(), Ended(status::critical, "certificate of evil\\x1b[2J is not valid for another 1d"));
  folder.write("a.pem", "-----BEGIN CERTIFICATE-----\nMIIB!\n-----END CERTIFICATE-----\n");
  CHECK_THAT(check.run(), Ended(status::unknown, "holds damaged certificates only"));
  folder.write("a.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
  CHECK_THAT(check.run(), Ended(status::unknown, "holds damaged certificates only"));
  folder.write("a.pem", "");
  CHECK_THAT(check.run(), Ended(status::unknown, "holds no certificate"));
}
