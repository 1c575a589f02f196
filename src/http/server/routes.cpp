// SPDX-License-Identifier: Apache-2.0
#include "http/server/routes.hpp"

#include <stdexcept>
#include <string>

namespace weft::http::server {
namespace {

void answer_with_allow(Response& response, Status status, MethodSet allowed) {
  response.status(status);
  const Result<void> added = response.header("Allow", protocol::allow_value(allowed));
  if (!added) response.status(Status::internal_server_error);
  if (is_error(status)) response.text(reason_phrase(status));
}

}  // namespace

void Routes::add(Method method, std::string_view pattern, Handler handler) {
  if (to_string(method).empty())
    throw std::invalid_argument("weft: a route has a method that does not exist");
  const std::string name = std::string(to_string(method)) + " " + std::string(pattern);
  if (!handler) throw std::invalid_argument("weft: the route " + name + " has no handler");
  const auto id = static_cast<protocol::RouteId>(routes_.size());
  routes_.push_back({std::move(handler), std::string(pattern)});
  struct TakeBack {  // so that a number never stands for another route than its pattern's
    std::vector<Route>* routes;
    ~TakeBack() {
      if (routes != nullptr) routes->pop_back();
    }
  } take_back{&routes_};
  if (const char* const wrong = table_.add(method, pattern, id))
    throw std::invalid_argument("weft: the route " + name + " " + wrong);
  take_back.routes = nullptr;
}

void Routes::answer(const RequestHead& head, PathParameters& parameters, const Request& request,
                    Response& response) const {
  const protocol::RouteMatch match = table_.find(head.method, head.path, parameters);
  switch (match.outcome) {
    case protocol::RouteOutcome::kFound: return routes_[match.route].handler(request, response);
    case protocol::RouteOutcome::kOptions:
      return answer_with_allow(response, Status::no_content, match.allowed);
    case protocol::RouteOutcome::kMethodNotAllowed:
      return answer_with_allow(response, Status::method_not_allowed, match.allowed);
    case protocol::RouteOutcome::kNotFound:
      response.status(Status::not_found);
      return response.text(reason_phrase(Status::not_found));
  }
}

std::string_view Routes::pattern_of(const RequestHead& head) const noexcept {
  PathParameters parameters;
  const protocol::RouteMatch match = table_.find_again(head.method, head.path, parameters);
  return match.outcome == protocol::RouteOutcome::kFound ? routes_[match.route].pattern : head.path;
}

}  // namespace weft::http::server
