// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a server sent, taken apart: a strict reader of responses.

#include "base/panic.hpp"

#include <weft/http/method.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace weft::http::fuzz {

struct ReadReply {
  int status = 0;
  std::string head;
  std::string body;
  bool whole = false;

  bool closes() const { return head.find("\r\nConnection: close\r\n") != head.npos; }
};

/// Takes the final responses off what was received; interim ones are skipped.
class ReplyReader {
 public:
  explicit ReplyReader(std::string_view received) : rest_(received) {}

  bool at_end() const { return rest_.empty(); }

  /// The answer to a request of that method.
  ReadReply next(Method method) {
    ReadReply reply;
    do {
      const std::size_t end = rest_.find("\r\n\r\n");
      if (end == rest_.npos) return take_all(reply);
      reply.head = rest_.substr(0, end + 4);
      rest_.remove_prefix(end + 4);
      WEFT_ASSERT(reply.head.starts_with("HTTP/1.1 "), "what was sent is no response");
      reply.status = std::atoi(reply.head.c_str() + 9);
      WEFT_ASSERT(reply.status == 100 || (reply.status >= 200 && reply.status <= 599), "not a status",
                  PanicValue{"status", static_cast<std::uint64_t>(reply.status)});
    } while (reply.status == 100 && !rest_.empty());
    reply.whole = reply.status != 100 && read_body(reply, method);
    return reply;
  }

 private:
  ReadReply take_all(ReadReply& reply) {
    reply.status = 0;
    rest_ = {};
    return reply;
  }

  bool read_body(ReadReply& reply, Method method) {
    if (method == Method::head || reply.status == 204 || reply.status == 304) return true;
    if (reply.head.find("\r\nTransfer-Encoding: chunked\r\n") != reply.head.npos)
      return read_chunks(reply.body);
    const std::size_t at = reply.head.find("\r\nContent-Length: ");
    if (at != reply.head.npos)
      return read_exactly(std::strtoul(reply.head.c_str() + at + 18, nullptr, 10), reply.body);
    reply.body = rest_;
    rest_ = {};
    return true;
  }

  bool read_chunks(std::string& body) {
    for (;;) {
      const std::size_t end = rest_.find("\r\n");
      if (end == rest_.npos) return rest_ = {}, false;
      const std::size_t size = std::strtoul(std::string(rest_.substr(0, end)).c_str(), nullptr, 16);
      rest_.remove_prefix(end + 2);
      std::string line_end;
      if (!read_exactly(size, body) || !read_exactly(2, line_end)) return false;
      WEFT_ASSERT(line_end == "\r\n", "a chunk does not end where it said");
      if (size == 0) return true;
    }
  }

  bool read_exactly(std::size_t size, std::string& to) {
    const std::string_view part = rest_.substr(0, size);
    to += part;
    rest_.remove_prefix(part.size());
    return part.size() == size;
  }

  std::string_view rest_;
};

}  // namespace weft::http::fuzz
