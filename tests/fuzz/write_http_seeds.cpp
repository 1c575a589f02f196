// SPDX-License-Identifier: Apache-2.0
// Writes the corpus of the HTTP tests as seeds for libFuzzer: write_http_seeds DIRECTORY

#include "http/protocol/request_corpus.hpp"

#include <filesystem>
#include <fstream>

namespace {

int number = 0;

void write(const std::filesystem::path& directory,
           const std::vector<weft::http::protocol::CorpusCase>& cases) {
  for (const auto& test : cases) {
    std::ofstream file(directory / ("seed-" + std::to_string(number++)), std::ios::binary);
    file << std::string(3, '\0') << test.bytes;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::filesystem::create_directories(argv[1]);
  write(argv[1], weft::http::protocol::accepted_requests());
  write(argv[1], weft::http::protocol::refused_requests());
  return 0;
}
