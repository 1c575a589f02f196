// SPDX-License-Identifier: Apache-2.0
#pragma once

// The names of /etc/hosts, read again when the file changes. Any thread; no call suspends.

#include "net/resolve/name_question.hpp"
#include "sys/file_stamp.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weft::net {

class HostsFile {
 public:
  using Names = std::unordered_map<std::string, std::vector<IpAddress>>;

  /// Empty: there is no file.
  explicit HostsFile(std::string path) : path_(std::move(path)) {}

  /// All addresses of the name, in the file's order; none if the file does not have it or cannot be read.
  std::vector<IpAddress> find(std::string_view name);

  /// The names of a text in the file's format. Lines that are not understood are left out.
  static Names parse(std::string_view text);

 private:
  std::shared_ptr<const Names> current();

  const std::string path_;
  std::mutex mutex_;
  sys::FileStamp stamp_;                // guarded by mutex_
  std::shared_ptr<const Names> names_;  // guarded by mutex_; null: not read yet
};

}  // namespace weft::net
