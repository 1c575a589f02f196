// SPDX-License-Identifier: Apache-2.0
// What becomes of an exchange whose handler made a mistake: it is said, with the route, and the exchange
// ends. The handler goes on; nothing that it does can reach another exchange.
#include "base/current_exception.hpp"
#include "base/limited_log.hpp"
#include "http/server/exchange.hpp"
#include "http/server/routes.hpp"

namespace weft::http::server {
namespace {

// A client chooses how often its requests meet a handler's mistake.
constinit LimitedLog mistakes_log;
constinit LimitedLog exceptions_log;
constinit LimitedLog unsent_log;

constexpr std::size_t kPathSizeMax = 200;

}  // namespace

std::string_view text_of(Mistake mistake) noexcept {
  switch (mistake) {
    case Mistake::kNone: break;
    case Mistake::kStatusAfterWrite: return "called status() after write()";
    case Mistake::kBodyAfterWrite: return "called text() or body() after write()";
    case Mistake::kWriteAfterBody: return "called write() after text() or body()";
    case Mistake::kStatus: return "set a status that is not from 200 to 599";
    case Mistake::kContentType: return "gave a content type that is no header value or too long";
    case Mistake::kBodyTooLong: return "wrote more than its Content-Length";
    case Mistake::kBodyTooShort: return "wrote less than its Content-Length";
    case Mistake::kBodyNotAnnounced: return "gave a body that is not of its Content-Length";
    case Mistake::kBodyForbidden: return "gave a body to a status that has none";
  }
  return "did nothing wrong";
}

// After the client has left, what the handler still does is no mistake: it may not know.
void Exchange::note(Mistake mistake) noexcept {
  if (broken_) return;
  if (mistake_ == Mistake::kNone) mistake_ = mistake;
  if (answer_as_ == Status::ok) answer_as_ = Status::internal_server_error;
  broken_ = streaming_;
}

void Exchange::report_exception(const Routes& routes) noexcept {
  const CurrentException exception;
  if (answer_as_ == Status::ok) answer_as_ = Status::internal_server_error;
  const RequestHead& head = block_.reader.head();
  exceptions_log.write({"weft: the handler of ", to_string(head.method), " ", routes.pattern_of(head),
                        " threw ", exception.type(), exception.separator(), exception.what().substr(0, 500),
                        " (path ", head.path.substr(0, kPathSizeMax), ")"});
}

void Exchange::report(const Routes& routes, std::string_view what, std::string_view outcome) const noexcept {
  const RequestHead& head = block_.reader.head();
  mistakes_log.write({"weft: the handler of ", to_string(head.method), " ", routes.pattern_of(head), " ",
                      what, ": ", outcome, " (path ", head.path.substr(0, kPathSizeMax), ")"});
}

// A client that has closed its connection chose so.
AfterExchange Exchange::report_unsent(const Routes& routes, const std::error_code& why) const noexcept {
  if (why == std::errc::connection_reset || why == std::errc::broken_pipe) return AfterExchange::kClose;
  const RequestHead& head = block_.reader.head();
  unsent_log.write({"weft: the response to ", to_string(head.method), " ", routes.pattern_of(head),
                    " was not sent, or not to its end: ", why.message(), " (path ",
                    head.path.substr(0, kPathSizeMax), ")"});
  return AfterExchange::kClose;
}

// The client is told what happened if nothing was sent to it, and else sees that the response is not whole.
void Exchange::answer_instead(const Routes& routes) {
  if (mistake_ != Mistake::kNone)
    report(routes, text_of(mistake_),
           streaming_ ? "the response is cut off" : "it is answered with an error");
  if (streaming_) {
    broken_ = true;
  } else {
    answer_error(answer_as_);
  }
}

}  // namespace weft::http::server
