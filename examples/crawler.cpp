// SPDX-License-Identifier: Apache-2.0
// Follows the links of web servers and finds the broken ones: bounded concurrency, timeouts, retries, limits.
//   crawler URL... [NAME=NUMBER]...            try: crawler http://127.0.0.1:8080/ parallel=4
// It stays at the servers of the URLs. A link is what is in quotes after href= or src=. Status 1: one is
// broken.

#include <weft/weft.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <map>
#include <set>

using std::string, std::string_view, std::chrono::milliseconds;

namespace {
std::map<string, std::size_t, std::less<>> limits{
    {"parallel", 8}, {"timeout_ms", 5'000}, {"retries", 2}, {"size_max", 1 << 20}, {"pages_max", 10'000}};
bool parse_number(string_view text, std::size_t& number) {
  const std::from_chars_result end{text.data() + text.size(), {}};
  return std::from_chars(text.data(), end.ptr, number) == end;
}

struct Url {
  string origin = "", path = "";
  string text() const { return "http://" + origin + path; }
  auto operator<=>(const Url&) const = default;
  static std::optional<Url> parse(string_view text) {
    const auto is_bad = [](char c) { return c <= ' ' || c >= 0x7f; };  // could end the line of a request
    if (!text.starts_with("http://") || text.size() > 2'000 || std::ranges::any_of(text, is_bad)) return {};
    text = text.substr(7, text.find('#') - 7);
    const auto end = std::min(text.find_first_of("/?"), text.size());
    const string path(text.substr(end));
    return Url{string(text.substr(0, end)), path.starts_with('/') ? path : "/" + path};
  }
  /// Where a link on the page of this URL leads; none if that is no page.
  std::optional<Url> follow(string_view link) const {
    link = link.substr(0, link.find('#'));
    if (link.empty()) return std::nullopt;  // this page
    if (link.starts_with("//")) return parse("http:" + string(link));
    if (link.substr(0, link.find_first_of("/?")).find(':') != link.npos) return parse(link);
    const string_view file = link.substr(0, link.find('?'));
    std::filesystem::path target(path.substr(0, path.find('?')));
    if (!file.empty()) target = target.replace_filename(file).lexically_normal();
    return parse("http://" + origin + target.string() + string(link.substr(file.size())));
  }
};

struct Page {
  Url url = {};
  std::size_t status = 0;
  string error = "", body = "", location = "";
  std::vector<string_view> links() const {
    std::vector<string_view> found{location};
    for (std::size_t at = 4; (at = body.find('=', at)) < body.size(); ++at) {
      const char quote = body.c_str()[at + 1];
      const bool is_link = body.compare(at - 4, 4, "href") == 0 || body.compare(at - 3, 3, "src") == 0;
      if (is_link && (quote == '"' || quote == '\''))
        found.push_back(string_view(body).substr(at + 2, body.find(quote, at + 2) - at - 2));
    }
    return found;
  }
};

/// The value of a header; empty if there is none. `name` as in "\nLocation:".
string_view header(string_view head, string_view name) {
  const auto same = [](char a, char b) { return (a | 32) == (b | 32); };
  const auto at = std::search(head.begin(), head.end(), name.begin(), name.end(), same);
  const string_view value(std::find(at, head.end(), ':'), std::find(at, head.end(), '\r'));
  return value.substr(std::min(value.find_first_not_of(": \t"), value.size()));
}

/// Asks once. Reads the body if it is HTML.
weft::Result<void> get(Page& page) {
  const string& origin = page.url.origin;
  auto stream = weft::net::connect(origin.find(':') == origin.npos ? origin + ":80" : origin);
  if (!stream) return stream.failure();
  const auto sent = stream->write_all("GET " + page.url.path + " HTTP/1.0\r\nHost: " + origin + "\r\n\r\n");
  if (!sent) return sent.failure();
  weft::io::BufferedReader reader(*stream);
  const auto head = reader.read_delimited("\r\n\r\n", 16'384);
  if (!head) return head.failure();
  if (!head->starts_with("HTTP/1.") || head->size() < 12 || !parse_number(head->substr(9, 3), page.status))
    return weft::Errc::malformed_message;
  page.location = header(*head, "\nLocation:");
  const string length(header(*head, "\nContent-Length:"));
  if (!header(*head, "\nContent-Type:").starts_with("text/html")) return {};
  auto body = reader.read_all(limits["size_max"]);
  if (!body) return body.failure();
  if (!length.empty() && length != std::to_string(body->size())) return weft::Errc::malformed_message;
  return page.body = std::move(*body), weft::Result<void>();
}

Page fetch(const Url& url) {
  for (std::size_t tries = 1;; ++tries) {
    Page page{.url = url};
    const auto got = weft::with_timeout(milliseconds(limits["timeout_ms"]), [&] { return get(page); });
    page.error = page.status >= 400 ? "status " + std::to_string(page.status) : got.message();
    const bool again = page.status >= 500 || (!got && got.error() != weft::Errc::message_too_large);
    if (!again || tries > limits["retries"] || !weft::sleep(milliseconds(50 * tries))) return page;
  }
}

struct Crawl {
  std::map<Url, std::set<string>> linked_from = {};  // every page that is known
  std::deque<Url> queue = {};                        // those that nobody has asked for yet
  std::set<string> origins = {};
  std::vector<std::pair<Url, string>> broken = {};
  void add(const std::optional<Url>& url, const string& from) {
    if (!url || !origins.contains(url->origin)) return;
    if (!linked_from.contains(*url) && linked_from.size() >= limits["pages_max"]) return;
    if (linked_from[*url].empty()) queue.push_back(*url);
    linked_from[*url].insert(from);
  }
  int run() {
    weft::TaskGroup<Page> asking;
    for (std::size_t running = 0; running > 0 || !queue.empty(); --running) {
      for (; (running < limits["parallel"] || running == 0) && !queue.empty(); ++running, queue.pop_front())
        asking.spawn([url = queue.front()] { return fetch(url); });
      const auto next = asking.next();
      if (!*next) break;  // Ctrl-C: what is known is printed
      const Page& page = **next;
      for (const string_view link : page.links()) add(page.url.follow(link), page.url.text());
      std::printf("%3zu %8zu bytes %s\n", page.status, page.body.size(), page.url.text().c_str());
      if (!page.error.empty()) broken.emplace_back(page.url, page.error);
    }
    for (const auto& [url, error] : broken)
      for (const string& from : linked_from[url])
        std::printf("broken: %s -> %s: %s\n", from.c_str(), url.text().c_str(), error.c_str());
    return std::printf("%zu pages, %zu broken\n", linked_from.size(), broken.size()), broken.empty() ? 0 : 1;
  }
};
}  // namespace

int main(int argc, char** argv) {
  Crawl crawl;
  bool good = true;
  for (const string_view text : std::span(argv, argv + argc).subspan(1)) {
    const auto limit = limits.find(text.substr(0, text.find('=')));
    if (const auto url = Url::parse(text))
      crawl.origins.insert(url->origin), crawl.add(url, "the command line");
    else
      good = good && limit != limits.end() && parse_number(text.substr(text.find('=') + 1), limit->second);
  }
  if (!good || crawl.queue.empty()) return std::fputs("usage: crawler URL... [NAME=NUMBER]...\n", stderr), 2;
  return weft::run({.stop_on = {SIGINT, SIGTERM}}, [&] { return crawl.run(); });
}
