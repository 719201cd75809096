// SPDX-License-Identifier: Apache-2.0
// The bare HTTP client: GET of one URL with a kept connection, at RATE a second; RATE 0: a curl multi handle
// with 32 kept connections, as fast as it can.
#include <curl/curl.h>

#include <cstdlib>
#include <vector>

#include "measure.hpp"

namespace {

std::size_t drop(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

CURL* make(const char* url) {
  CURL* const easy = ::curl_easy_init();
  ::curl_easy_setopt(easy, CURLOPT_URL, url);
  ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
  ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
  return easy;
}

std::int64_t paced(const char* url, std::int64_t rate, std::int64_t until) {
  CURL* const easy = make(url);
  const std::int64_t begin = bench::now_ns();
  std::int64_t runs = 0;
  for (; begin + runs * 1'000'000'000 / rate < until; ++runs) {
    bench::sleep_until(begin + runs * 1'000'000'000 / rate);
    if (::curl_easy_perform(easy) != CURLE_OK) return -1;
  }
  ::curl_easy_cleanup(easy);
  return runs;
}

std::int64_t fastest(const char* url, std::int64_t until) {
  CURLM* const multi = ::curl_multi_init();
  std::vector<CURL*> all;
  for (int i = 0; i < 32; ++i) ::curl_multi_add_handle(multi, all.emplace_back(make(url)));
  std::int64_t runs = 0;
  while (bench::now_ns() < until) {
    int going = 0, left = 0;
    ::curl_multi_perform(multi, &going);
    while (const CURLMsg* message = ::curl_multi_info_read(multi, &left)) {
      if (message->data.result != CURLE_OK) return -1;
      CURL* const easy = message->easy_handle;
      ++runs;
      ::curl_multi_remove_handle(multi, easy);
      ::curl_multi_add_handle(multi, easy);
    }
    ::curl_multi_poll(multi, nullptr, 0, 100, nullptr);
  }
  for (CURL* easy : all) ::curl_multi_remove_handle(multi, easy), ::curl_easy_cleanup(easy);
  ::curl_multi_cleanup(multi);
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: http URL RATE SECONDS\n"), 2;
  ::curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::int64_t rate = std::atoll(argv[2]);
  const std::int64_t until = bench::now_ns() + static_cast<std::int64_t>(std::atof(argv[3]) * 1e9);
  const bench::Meter meter;
  const std::int64_t runs = rate == 0 ? fastest(argv[1], until) : paced(argv[1], rate, until);
  meter.print(runs);
  return runs >= 0 ? 0 : 1;
}
