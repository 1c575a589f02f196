// SPDX-License-Identifier: Apache-2.0
// The fuzzer of the server without libFuzzer: plans and the corpus, with what is the same in every run.

#include "http_server.hpp"

#include "http/protocol/request_corpus.hpp"

#include <cstdint>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace {

using weft::http::protocol::CorpusCase;

constexpr std::size_t kHeaderSize = 9;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string drawn(std::mt19937& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(HttpServerFuzzer, HoldsForPlannedRequests) {
  std::mt19937 random(20'261'130);
  for (int i = 0; i < 500; ++i) {
    std::string input = drawn(random, kHeaderSize + random() % 60);
    input[kHeaderSize - 1] = static_cast<char>(input[kHeaderSize - 1] | 1);
    run(input);
  }
}

TEST(HttpServerFuzzer, HoldsForTheCorpus) {
  std::mt19937 random(20'261'201);
  const auto run_all = [&](const std::vector<CorpusCase>& cases) {
    for (const CorpusCase& test : cases) {
      std::string control = drawn(random, kHeaderSize);
      control.back() = static_cast<char>(control.back() & ~1);
      run(control + test.bytes);
    }
  };
  for (int i = 0; i < 3; ++i) {
    run_all(weft::http::protocol::accepted_requests());
    run_all(weft::http::protocol::refused_requests());
  }
}

}  // namespace
