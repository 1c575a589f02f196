// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace weft::http {

/// The status code of a response. Any number from 100 to 599 may be cast to it. The named codes are those of
/// the IANA registry that HTTP/1.1 servers send.
enum class Status : std::uint16_t {
  continue_ = 100,
  switching_protocols = 101,
  processing = 102,
  early_hints = 103,
  ok = 200,
  created = 201,
  accepted = 202,
  non_authoritative_information = 203,
  no_content = 204,
  reset_content = 205,
  partial_content = 206,
  multi_status = 207,
  multiple_choices = 300,
  moved_permanently = 301,
  found = 302,
  see_other = 303,
  not_modified = 304,
  temporary_redirect = 307,
  permanent_redirect = 308,
  bad_request = 400,
  unauthorized = 401,
  payment_required = 402,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  not_acceptable = 406,
  proxy_authentication_required = 407,
  request_timeout = 408,
  conflict = 409,
  gone = 410,
  length_required = 411,
  precondition_failed = 412,
  content_too_large = 413,
  uri_too_long = 414,
  unsupported_media_type = 415,
  range_not_satisfiable = 416,
  expectation_failed = 417,
  misdirected_request = 421,
  unprocessable_content = 422,
  locked = 423,
  failed_dependency = 424,
  too_early = 425,
  upgrade_required = 426,
  precondition_required = 428,
  too_many_requests = 429,
  request_header_fields_too_large = 431,
  unavailable_for_legal_reasons = 451,
  internal_server_error = 500,
  not_implemented = 501,
  bad_gateway = 502,
  service_unavailable = 503,
  gateway_timeout = 504,
  http_version_not_supported = 505,
  insufficient_storage = 507,
  loop_detected = 508,
  network_authentication_required = 511,
};

constexpr unsigned code_of(Status status) noexcept { return static_cast<unsigned>(status); }

/// The standard phrase, such as "Not Found"; empty for a code without a name here.
std::string_view reason_phrase(Status status) noexcept;

constexpr bool is_informational(Status status) noexcept { return code_of(status) < 200; }
constexpr bool is_error(Status status) noexcept { return code_of(status) >= 400; }

/// True if a response with this status never has a body, whatever its headers (RFC 9110, 6.4.1).
constexpr bool forbids_body(Status status) noexcept {
  return is_informational(status) || status == Status::no_content || status == Status::not_modified;
}

/// True if a server sends no content with this status: the codes that forbid a body, and 205, whose body is
/// empty (RFC 9110, 15.3.6).
constexpr bool forbids_content(Status status) noexcept {
  return forbids_body(status) || status == Status::reset_content;
}

}  // namespace weft::http
