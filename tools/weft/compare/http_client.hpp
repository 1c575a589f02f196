// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace weft::tool::compare {

/// A kept-alive connection to a server on 127.0.0.1, for the few requests that are no load. Blocks, ten
/// seconds at most. Errors: std::runtime_error.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  HttpClient(HttpClient&& other) noexcept;
  ~HttpClient();

  /// The body of a 200 answer, which has a Content-Length.
  std::string get(const std::string& path);

 private:
  void send_request(const std::string& path) const;
  std::string receive_until(const std::string& so_far, std::size_t size) const;

  int fd_ = -1;
};

}  // namespace weft::tool::compare
