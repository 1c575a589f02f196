// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of names have in common.

#include "stranger/stranger.hpp"
#include "support/dns_server.hpp"

#include <weft/weft.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdlib.h>
#include <string>
#include <vector>

namespace stranger {

using namespace std::chrono_literals;
using weft::Errc;
using weft::net::AddressFamily;
using weft::net::NameErrc;
using weft::net::Resolver;
using weft::net::ResolverOptions;
using weft::net::SocketAddress;
using weft::test::DnsMistake;
using weft::test::DnsRecord;
using weft::test::DnsServer;
using weft::test::DnsZone;

/// Only the server of the test is asked, once, and for longer than any test takes.
inline ResolverOptions asking(const DnsServer& server) {
  return {.backend = weft::net::ResolverBackend::kDns,
          .servers = {server.address()},
          .timeout = 60s,
          .tries = 1,
          .search = std::vector<std::string>{},
          .hosts_file = "",
          .resolv_conf = "/dev/null"};
}

/// As text, in order.
inline std::vector<std::string> texts(const weft::Result<std::vector<SocketAddress>>& addresses) {
  if (!addresses) return {addresses.message()};
  std::vector<std::string> all;
  for (const SocketAddress& address : *addresses) all.push_back(address.to_string());
  return all;
}

using Texts = std::vector<std::string>;

inline std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

/// A file that is removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    close(mkstemp(path_.data()));
    write(text);
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(const std::string& text) const { std::ofstream(path_) << text; }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/weft-names-XXXXXX";
};

template <class Condition>
void until(Condition condition) {
  while (!condition()) weft::yield();
}

}  // namespace stranger
