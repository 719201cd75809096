// SPDX-License-Identifier: Apache-2.0
#include "certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void require(bool held, const std::string& what) {
  if (!held) throw std::runtime_error("certificate: " + what);
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

Owned<X509> unsigned_certificate(EVP_PKEY* key, const std::string& name, long begins, long ends, long serial) {
  Owned<X509> certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), begins);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), ends);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  require(X509_sign(certificate, key, EVP_sha256()) > 0, "signing");
}

void write(const std::string& path, X509* certificate, EVP_PKEY* key) {
  const Owned<std::FILE> crt(std::fopen((path + ".crt").c_str(), "w"));
  require(crt && PEM_write_X509(crt.get(), certificate) == 1, path);
  const Owned<std::FILE> pem(std::fopen((path + ".key").c_str(), "w"));
  require(pem && PEM_write_PrivateKey(pem.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, path);
}

}  // namespace

void make_certificates(const std::string& dir, const std::vector<CertificateWish>& wishes) {
  const Owned<EVP_PKEY> ca_key(EVP_EC_gen("P-256"));
  const auto ca = unsigned_certificate(ca_key.get(), "test CA", -7200, 365L * 86400, 1);
  extend(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
  sign(ca.get(), ca.get(), ca_key.get());
  write(dir + "/ca", ca.get(), ca_key.get());
  long serial = 2;
  for (const auto& wish : wishes) {
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    const auto certificate = unsigned_certificate(key.get(), wish.file, wish.begins_in_s, wish.ends_in_s, serial++);
    X509* issuer = wish.self_signed ? certificate.get() : ca.get();
    std::string names;
    for (const auto& name : wish.names) names += (names.empty() ? "" : ",") + name;
    extend(certificate.get(), issuer, NID_subject_alt_name, names);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
    sign(certificate.get(), issuer, wish.self_signed ? key.get() : ca_key.get());
    write(dir + "/" + wish.file, certificate.get(), key.get());
  }
}
