// SPDX-License-Identifier: Apache-2.0
#pragma once

// A directory for a test, and what is in its files, read without weft.

#include "stranger/stranger.hpp"

#include <weft/fs/temporary.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace stranger {

class Place {
 public:
  Place() : directory_(weft::fs::TemporaryDirectory::create().value()) {}
  std::string operator/(std::string_view name) const { return directory_.path() + "/" + std::string(name); }
  const std::string& path() const { return directory_.path(); }

 private:
  weft::fs::TemporaryDirectory directory_;
};

inline std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline void fill(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 % 251);
  return text;
}

inline std::error_code system_error(int value) { return {value, std::system_category()}; }

}  // namespace stranger
