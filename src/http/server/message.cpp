// SPDX-License-Identifier: Apache-2.0
// Request and Response: the handler's view of an Exchange.
#include "http/server/exchange.hpp"

#include <algorithm>

namespace weft::http {

Result<std::size_t> Request::read_some(std::span<std::byte> buffer) const {
  return exchange_.read_body(buffer);
}

Result<std::string> Request::read_all(std::uint64_t size_max) const {
  constexpr std::size_t kStep = 16 * 1024;
  if (content_length().value_or(0) > size_max) return Errc::message_too_large;
  std::string body;
  std::size_t size = 0;
  for (;;) {
    const std::size_t room =
        std::max<std::size_t>(kStep, static_cast<std::size_t>(content_length().value_or(0)) - size);
    body.resize(size + room);
    const Result<std::size_t> n = read_some(std::as_writable_bytes(std::span(body).subspan(size)));
    if (!n && n.error() != make_error_code(Errc::end_of_file)) return n.error();
    size += n.value_or(0);
    if (size > size_max) return Errc::message_too_large;
    if (!n) break;
  }
  body.resize(size);
  return body;
}

Response& Response::status(Status status) {
  exchange_.set_status(status);
  return *this;
}

Status Response::status() const noexcept { return exchange_.status(); }

Result<void> Response::header(std::string_view name, std::string_view value) {
  return exchange_.add_header(name, value);
}

Result<void> Response::set_header(std::string_view name, std::string_view value) {
  return exchange_.set_header(name, value);
}

void Response::body(std::string_view body, std::string_view content_type) {
  exchange_.set_body(body, content_type);
}

void Response::body(std::string&& body, std::string_view content_type) {
  exchange_.set_body(std::move(body), content_type);
}

Result<void> Response::write(std::string_view piece) { return exchange_.write(piece); }

void Response::close_connection() noexcept { exchange_.close_connection(); }

}  // namespace weft::http
