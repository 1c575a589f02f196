// SPDX-License-Identifier: Apache-2.0
// Drives a fuzz target where there is no libFuzzer: every file of the corpus folder, then seeded mutations of
// them. Usage: <target> CORPUS [MUTATIONS [SEED]]. It fails by crashing, by a sanitizer's report, or on an
// empty corpus.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

constexpr unsigned long kMutationsDefault = 20'000;
constexpr unsigned long kSeedDefault = 1;

std::vector<Input> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths(std::filesystem::directory_iterator(folder), {});
  std::sort(paths.begin(), paths.end());
  std::vector<Input> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

std::size_t below(Random& random, std::size_t bound) { return static_cast<std::size_t>(random() % bound); }

void overwrite_byte(Input& input, Random& random) {
  constexpr std::uint8_t kTelling[] = {0, ' ', '\t', '\r', '\n', ':', ';', ',', '0', 'f', 0x7f, 0x80, 0xff};
  const bool telling = below(random, 2) == 0;
  const auto any = static_cast<std::uint8_t>(random());
  input[below(random, input.size())] = telling ? kTelling[below(random, std::size(kTelling))] : any;
}

void erase_range(Input& input, Random& random) {
  const std::size_t from = below(random, input.size());
  const std::size_t count = std::min(input.size() - from, 1 + below(random, 8));
  const auto first = input.begin() + static_cast<std::ptrdiff_t>(from);
  input.erase(first, first + static_cast<std::ptrdiff_t>(count));
}

void splice(Input& input, const Input& other, Random& random) {
  const std::size_t at = below(random, input.size());
  const std::size_t from = below(random, other.size() + 1);
  input.resize(at);
  input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
}

Input mutate(const std::vector<Input>& corpus, Random& random) {
  Input input = corpus[below(random, corpus.size())];
  for (std::size_t step = 1 + below(random, 4); step > 0 && !input.empty(); --step) {
    switch (below(random, 4)) {
      case 0: erase_range(input, random); break;
      case 1: splice(input, corpus[below(random, corpus.size())], random); break;
      default: overwrite_byte(input, random); break;
    }
  }
  return input;
}

void run(const Input& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

unsigned long number(int argc, char** argv, int index, unsigned long otherwise) {
  return argc > index ? std::strtoul(argv[index], nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Input> corpus = argc > 1 ? read_corpus(argv[1]) : std::vector<Input>();
  if (corpus.empty()) {
    std::fprintf(stderr, "usage: %s CORPUS [MUTATIONS [SEED]], with files in the folder CORPUS\n", argv[0]);
    return 2;
  }
  const unsigned long mutations = number(argc, argv, 2, kMutationsDefault);
  const unsigned long seed = number(argc, argv, 3, kSeedDefault);
  std::printf("%zu inputs, %lu mutations, seed %lu\n", corpus.size(), mutations, seed);
  std::fflush(stdout);
  std::for_each(corpus.begin(), corpus.end(), run);
  Random random(seed);
  for (unsigned long done = 0; done < mutations; ++done) run(mutate(corpus, random));
  return 0;
}
