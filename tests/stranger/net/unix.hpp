// SPDX-License-Identifier: Apache-2.0
#pragma once

// Short forms for the tests of Unix sockets. In fibers.

#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <unistd.h>

namespace stranger {

/// A directory that is removed with what is in it.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = "/tmp/weft-unix-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// An abstract name that no other process uses.
inline std::string own_name(const std::string& name) {
  return "@weft-test-" + std::to_string(::getpid()) + "-" + name;
}

inline std::error_code of_errno(int value) { return {value, std::system_category()}; }

inline bool exists(const std::string& path) {
  return std::filesystem::exists(std::filesystem::symlink_status(path));
}

/// `size` bytes, or what comes before the end.
inline std::string read_text(weft::io::Reader& reader, std::size_t size) {
  std::string text(size, '\0');
  text.resize(reader.read_exact(text).bytes());
  return text;
}

}  // namespace stranger
