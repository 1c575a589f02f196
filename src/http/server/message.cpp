// SPDX-License-Identifier: Apache-2.0
// Request and Response: the handler's view of an Exchange.
#include "http/server/exchange.hpp"

namespace weft::http {

Result<std::size_t> Request::read_some(MutableBuffer buffer) const { return exchange_.read_body(buffer); }

Result<std::string> Request::read_all(std::uint64_t size_max) const {
  return exchange_.read_whole_body(size_max);
}

bool Request::draining() const noexcept { return exchange_.drain().begun(); }

CancelToken Request::drain_token() const noexcept { return exchange_.drain().token(); }

Result<net::SocketAddress> Request::peer_address() const { return exchange_.peer_address(); }

std::string Request::peer_name() const { return exchange_.peer_name(); }

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

Result<void> Response::write(ConstBuffer piece) {
  return exchange_.write({reinterpret_cast<const char*>(piece.data()), piece.size()});
}

void Response::close_connection() noexcept { exchange_.close_connection(); }

}  // namespace weft::http
