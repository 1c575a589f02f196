// SPDX-License-Identifier: Apache-2.0
// The fuzzer's invariants without libFuzzer: the corpus, and mutations of it that are the same in every run.

#include "http_request.hpp"

#include "http/protocol/request_corpus.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using weft::http::protocol::CorpusCase;

std::vector<std::string> seeds() {
  std::vector<std::string> result;
  for (const CorpusCase& test : weft::http::protocol::accepted_requests()) result.push_back(test.bytes);
  for (const CorpusCase& test : weft::http::protocol::refused_requests()) result.push_back(test.bytes);
  return result;
}

void run(const std::string& plan_and_bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(plan_and_bytes.data()), plan_and_bytes.size());
}

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed), seeds_(seeds()) {}

  std::string next() {
    std::string text = pick();
    for (std::size_t edits = below(4); edits > 0; --edits) edit(text);
    std::string plan;
    for (int i = 0; i < 3; ++i) plan.push_back(static_cast<char>(random_()));
    return plan + text;
  }

 private:
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_()) % end; }
  const std::string& pick() { return seeds_[below(seeds_.size())]; }

  void edit(std::string& text) {
    constexpr std::string_view kTelling("\r\n\t :;,/?#*%0159afAF\0\x7f\x80", 23);
    const std::size_t at = below(text.size() + 1);
    const std::string& other = pick();
    switch (below(5)) {
      case 0: text.insert(at, 1, kTelling[below(kTelling.size())]); break;
      case 1: text.erase(at, 1 + below(4)); break;
      case 2: text.insert(at, other.substr(below(other.size()))); break;
      case 3: text.resize(at); break;
      default: text.insert(at, text.substr(below(text.size() + 1), 1 + below(40))); break;
    }
  }

  std::mt19937 random_;
  std::vector<std::string> seeds_;
};

TEST(HttpRequestFuzzer, HoldsForTheCorpusUnderEveryLimit) {
  for (const std::string& bytes : seeds()) {
    for (char limits = 0; limits < 16; ++limits) run(std::string("\x05\x02", 2) + limits + bytes);
  }
}

TEST(HttpRequestFuzzer, HoldsForMutationsOfTheCorpus) {
  constexpr int kRuns = 20'000;
  Mutator mutator(20'231'123);
  for (int i = 0; i < kRuns; ++i) run(mutator.next());
}

}  // namespace
