// SPDX-License-Identifier: Apache-2.0
// Writes the corpus of the HTTP tests, and plans, as seeds for libFuzzer: write_http_server_seeds DIRECTORY

#include "http/protocol/request_corpus.hpp"
#include "http_server_plan.hpp"

#include <filesystem>
#include <fstream>
#include <random>

namespace {

constexpr std::size_t kHeaderSize = weft::http::fuzz::Plan::kHeaderSize;

int number = 0;

void write(const std::filesystem::path& directory, const std::string& bytes) {
  std::ofstream file(directory / ("seed-" + std::to_string(number++)), std::ios::binary);
  file << bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::filesystem::create_directories(argv[1]);
  for (const auto& test : weft::http::protocol::accepted_requests())
    write(argv[1], std::string(kHeaderSize, '\0') + test.bytes);
  for (const auto& test : weft::http::protocol::refused_requests())
    write(argv[1], std::string(kHeaderSize, '\0') + test.bytes);
  std::mt19937 random(20'261'130);
  for (int i = 0; i < 100; ++i) {
    std::string plan(kHeaderSize + static_cast<std::size_t>(i) / 4, '\0');
    for (char& c : plan) c = static_cast<char>(random());
    plan[kHeaderSize - 1] = static_cast<char>(plan[kHeaderSize - 1] | 1);
    write(argv[1], plan);
  }
  return 0;
}
