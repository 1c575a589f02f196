// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/route_table.hpp"

#include <algorithm>
#include <utility>

namespace weft::http::protocol {

struct RouteTable::Route {
  Method method;
  RouteId id;
  std::vector<std::string> names;  // of its parameters, in order
};

// What find() carries down the tree.
struct RouteTable::Search {
  Method method;
  PathParameters& parameters;
  MethodSet allowed;  // by all patterns that match
};

// A place in the tree: the root, or a segment below it. "/a/" is the segments "a" and "".
struct RouteTable::Node {
  std::string text;  // of a literal
  std::vector<std::unique_ptr<Node>> literals;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Node> wildcard;
  std::vector<Route> routes;
  MethodSet allowed;

  Node& child(std::string_view segment);
  const Route* find(std::string_view rest, Search& search) const noexcept;
  const Route* serve(Search& search) const noexcept;
  const Route* route(Method method) const noexcept;
};

namespace {

struct Split {
  std::string_view segment;
  std::string_view rest;  // with its "/"; empty behind the last segment
};

// Pre: `path` starts with "/".
Split split(std::string_view path) noexcept {
  path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  return {path.substr(0, slash), slash == path.npos ? std::string_view() : path.substr(slash)};
}

bool is_parameter(std::string_view segment) noexcept { return !segment.empty() && segment[0] == ':'; }
bool is_wildcard(std::string_view segment) noexcept { return !segment.empty() && segment[0] == '*'; }
bool is_named(std::string_view segment) noexcept { return is_parameter(segment) || is_wildcard(segment); }

std::vector<std::string> names_of(std::string_view pattern) {
  std::vector<std::string> names;
  for (Split part{{}, pattern}; !part.rest.empty();) {
    part = split(part.rest);
    if (is_named(part.segment)) names.emplace_back(part.segment.substr(1));
  }
  return names;
}

// A path of the same bytes matches it, and no decoding is in between.
bool is_literal(std::string_view pattern) noexcept { return pattern.find_first_of(":*%") == pattern.npos; }

/// Null if nothing is.
const char* what_is_wrong_with(std::string_view pattern) {
  if (pattern.empty() || pattern[0] != '/') return "does not begin with a slash";
  for (Split part{{}, pattern}; !part.rest.empty();) {
    part = split(part.rest);
    if (part.segment == ":") return "has a parameter without a name";
    if (is_wildcard(part.segment) && !part.rest.empty()) return "goes on after its *";
  }
  std::vector<std::string> names = names_of(pattern);
  if (names.size() > PathParameters::kCapacity) return "has too many parameters";
  std::sort(names.begin(), names.end());
  const bool twice = std::adjacent_find(names.begin(), names.end()) != names.end();
  return twice ? "has two parameters of one name" : nullptr;
}

}  // namespace

// The child for a pattern's segment, made if there is none.
RouteTable::Node& RouteTable::Node::child(std::string_view segment) {
  if (is_named(segment)) {
    std::unique_ptr<Node>& place = is_parameter(segment) ? parameter : wildcard;
    if (!place) place = std::make_unique<Node>();
    return *place;
  }
  for (const auto& literal : literals) {
    if (literal->text == segment) return *literal;
  }
  auto made = std::make_unique<Node>();
  made->text = segment;
  literals.push_back(std::move(made));
  return *literals.back();
}

// The best route for `rest` that serves the method, with its parameters pushed; null and none pushed if there
// is none.
const RouteTable::Route* RouteTable::Node::find(std::string_view rest, Search& search) const noexcept {
  if (rest.empty()) return serve(search);
  const Split part = split(rest);
  for (const auto& literal : literals) {
    if (!equals_decoded(part.segment, literal->text)) continue;
    if (const Route* route = literal->find(part.rest, search)) return route;
  }
  const std::size_t before = search.parameters.size();
  if (parameter && !part.segment.empty()) {
    search.parameters.push(part.segment);
    if (const Route* route = parameter->find(part.rest, search)) return route;
    search.parameters.truncate(before);
  }
  if (!wildcard) return nullptr;
  search.parameters.push(rest.substr(1));
  if (const Route* route = wildcard->serve(search)) return route;
  search.parameters.truncate(before);
  return nullptr;
}

const RouteTable::Route* RouteTable::Node::serve(Search& search) const noexcept {
  search.allowed.insert_all(allowed);
  const Route* found = route(search.method);
  return found == nullptr && search.method == Method::head ? route(Method::get) : found;
}

const RouteTable::Route* RouteTable::Node::route(Method method) const noexcept {
  for (const Route& candidate : routes) {
    if (candidate.method == method) return &candidate;
  }
  return nullptr;
}

RouteTable::RouteTable() : root_(std::make_unique<Node>()) { all_.insert(Method::options); }
RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

const char* RouteTable::add(Method method, std::string_view pattern, RouteId route) {
  if (const char* const wrong = what_is_wrong_with(pattern)) return wrong;
  Node* node = root_.get();
  for (Split part{{}, pattern}; !part.rest.empty();) {
    part = split(part.rest);
    node = &node->child(part.segment);
  }
  if (node->route(method) != nullptr) return "is taken: another route has that pattern and method";
  // What may throw comes before the route is there; places without a route mean nothing.
  std::vector<std::string> names = names_of(pattern);
  if (is_literal(pattern)) literals_.add(pattern, node);
  node->routes.push_back({method, route, std::move(names)});
  for (MethodSet* set : {&node->allowed, &all_}) {
    set->insert(method);
    set->insert(Method::options);
    if (method == Method::get) set->insert(Method::head);
  }
  return nullptr;
}

// Within both: a hot function with a second caller would no longer be a part of the first.
[[gnu::always_inline]] inline RouteMatch RouteTable::look_up(Method method, std::string_view path,
                                                             PathParameters& parameters) const noexcept {
  parameters.truncate(0);
  Search search{method, parameters, {}};
  if (const auto* node = static_cast<const Node*>(literals_.find(path))) {
    if (const Route* route = node->serve(search)) return {RouteOutcome::kFound, route->id, search.allowed};
  }
  if (path == "*") {
    return method == Method::options ? RouteMatch{RouteOutcome::kOptions, 0, all_} : RouteMatch{};
  }
  if (path.empty() || path[0] != '/') return {};
  if (const Route* route = root_->find(path, search)) {
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters.set_name(i, route->names[i]);
    return {RouteOutcome::kFound, route->id, search.allowed};
  }
  if (search.allowed.empty()) return {};
  const bool options = method == Method::options;
  return {options ? RouteOutcome::kOptions : RouteOutcome::kMethodNotAllowed, 0, search.allowed};
}

RouteMatch RouteTable::find(Method method, std::string_view path, PathParameters& parameters) const noexcept {
  return look_up(method, path, parameters);
}

RouteMatch RouteTable::find_again(Method method, std::string_view path,
                                  PathParameters& parameters) const noexcept {
  return look_up(method, path, parameters);
}

std::string allow_value(MethodSet methods) {
  std::string text;
  for (std::size_t i = 0; i < kMethodCount + kRegisteredMethodsMax; ++i) {
    const Method method = static_cast<Method>(i);
    if (!methods.contains(method)) continue;
    if (!text.empty()) text += ", ";
    text += to_string(method);
  }
  return text;
}

}  // namespace weft::http::protocol
