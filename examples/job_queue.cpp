// SPDX-License-Identifier: Apache-2.0
// A job queue over HTTP, in memory. A job counts primes. Server-sent events tell of each change of a job. One
// thread serves connections, two others run jobs. Ends on Ctrl-C. job_queue [ADDRESS]: 127.0.0.1:8080 unless
// given; try
//   curl -N 127.0.0.1:8080/events &
//   curl -d 1000000 127.0.0.1:8080/jobs; curl 127.0.0.1:8080/jobs/1; curl -X DELETE 127.0.0.1:8080/jobs/1

#include <weft/weft.hpp>

#include <charconv>
#include <cstdio>
#include <deque>
#include <map>
#include <mutex>

using namespace std::chrono_literals;
using weft::http::Request;
using weft::http::Response;

namespace {
constexpr std::size_t kWaitingMax = 100, kBelowMax = 1'000'000'000, kJobsMax = 10'000, kEventsKept = 1000;

/// The number that is all of `text`, or 0.
std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

struct Job {
  std::uint64_t id = 0, below = 0;
  std::string state = "queued", result = "null";  // the state is then running, done, or cancelled
  std::stop_source stop = {};
  bool ended() const { return state == "done" || state == "cancelled"; }
  std::string json() const {
    return "{\"id\":" + std::to_string(id) + ",\"state\":\"" + state + "\",\"result\":" + result + "}";
  }
};

class Jobs {
 public:
  void submit(const Request& request, Response& response) {
    const auto below = number_in(request.read_all(100).value_or(""));
    if (below == 0 || below > kBelowMax) return response.status(400).text("a number up to 10^9\n");
    const std::scoped_lock lock(mutex_);
    const auto job = std::make_shared<Job>(Job{.id = next_id_, .below = below});
    if (!waiting_.try_send(job)) return response.status(503).text("the queue is full\n");
    jobs_[next_id_++] = job;
    for (auto old = jobs_.begin(); jobs_.size() > kJobsMax && old->second->ended();) old = jobs_.erase(old);
    change(*job, "queued");
    response.status(201).body(job->json(), "application/json");
  }

  /// GET shows a job, DELETE cancels it.
  void handle(const Request& request, Response& response) {
    const std::scoped_lock lock(mutex_);
    const auto found = jobs_.find(number_in(request.parameter("id").value_or("")));
    if (found == jobs_.end()) return response.status(404).text("there is no such job\n");
    Job& job = *found->second;
    if (request.method() == weft::http::Method::del) {
      response.status(job.ended() ? 409 : 202);
      job.stop.request_stop();
      if (job.state == "queued") change(job, "cancelled");
    }
    response.body(job.json(), "application/json");
  }

  /// Sends the changes after Last-Event-ID, or those to come, until the client is gone or the server drains.
  void stream(const Request& request, Response& response) {
    auto newest = newest_.subscribe();
    std::uint64_t sent = *newest.get();
    if (const auto last = request.header("Last-Event-ID")) sent = std::min(sent, number_in(*last));
    std::ignore = response.header("Content-Type", "text/event-stream");
    for (std::string text = ": events\n\n"; response.write(text);) {
      text = events_after(sent);
      if (!text.empty()) continue;
      const weft::CancelScope scope(request.drain_token());
      const auto changed = newest.changed_until(15s);
      if (!changed && changed.error() != weft::Errc::timed_out) return;
      if (!changed) text = ": still here\n\n";
    }
  }

  /// Runs the jobs, one after the other. Cancelled: ends the job that is running.
  void work() {
    for (const std::shared_ptr<Job>& job : waiting_) {
      std::unique_lock lock(mutex_);
      if (job->state != "queued") continue;  // cancelled meanwhile
      change(*job, "running");
      lock.unlock();
      const weft::CancelScope scope(job->stop.get_token());
      const auto primes = count_primes(job->below);
      lock.lock();
      if (primes) job->result = std::to_string(*primes);
      change(*job, primes ? "done" : "cancelled");
    }
  }

 private:
  static weft::Result<std::uint64_t> count_primes(std::uint64_t below) {
    std::uint64_t count = 0;
    for (std::uint64_t number = 2; number < below; ++number) {
      if (const auto alive = weft::checkpoint(); !alive) return alive.failure();
      std::uint64_t divisor = 2;
      while (divisor * divisor <= number && number % divisor != 0) ++divisor;
      count += divisor * divisor > number ? 1 : 0;
    }
    return count;
  }

  void change(Job& job, std::string_view state) {
    job.state = state;
    events_.push_back("id: " + std::to_string(++last_event_) + "\ndata: " + job.json() + "\n\n");
    if (events_.size() > kEventsKept) events_.pop_front();
    std::ignore = newest_.send(last_event_);
  }

  /// The text of the changes that are kept; `sent` becomes the number of the last one.
  std::string events_after(std::uint64_t& sent) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t dropped = last_event_ - events_.size();
    std::string text;
    for (sent = std::max(sent, dropped); sent < last_event_; ++sent) text += events_[sent - dropped];
    return text;
  }

  weft::Mutex mutex_;
  weft::Channel<std::shared_ptr<Job>> waiting_{kWaitingMax};
  std::map<std::uint64_t, std::shared_ptr<Job>> jobs_;
  std::uint64_t next_id_ = 1, last_event_ = 0;
  std::deque<std::string> events_;
  weft::WatchChannel<std::uint64_t> newest_{0};
};
}  // namespace

int main(int argc, char** argv) {
  return weft::run({.stop_on = {SIGINT, SIGTERM}}, [address = argc > 1 ? argv[1] : "127.0.0.1:8080"] {
    Jobs jobs;
    weft::http::Server server({.cancel_grace = 5s});
    server.post("/jobs", [&](auto& request, auto& response) { jobs.submit(request, response); });
    const auto handle = [&](auto& request, auto& response) { jobs.handle(request, response); };
    server.get("/jobs/:id", handle).del("/jobs/:id", handle);
    server.get("/events", [&](auto& request, auto& response) { jobs.stream(request, response); });
    weft::ParallelContext threads("jobs", {.parallelism = 2});
    weft::TaskGroup<void> workers;
    for (int i = 0; i < 2; ++i) workers.spawn(threads, [&] { jobs.work(); });
    std::printf("listening at %s\n", server.start(address).value().to_string().c_str()), std::fflush(stdout);
    std::ignore = server.wait();  // Ctrl-C: answers the requests that have begun, and cancels the jobs
  });
}
