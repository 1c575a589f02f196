// SPDX-License-Identifier: Apache-2.0
// A process is started and waited for: /bin/true by weft, beside posix_spawn and waitpid, libuv's uv_spawn,
// and Go's os/exec if its program is given (go build bench/micro/peers/peers.go). One after the other, in
// interleaved rounds; the last column is the median over the rounds of the ratio to posix_spawn. Then how
// long another fiber of the same thread has to wait for its turn meanwhile, with processes that are started
// by weft, and by posix_spawn in the fiber itself.
//
//   bench_process [rounds] [program of peers.go]
#include <weft/execution_context.hpp>
#include <weft/process/command.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <vector>

#if WEFT_BENCH_LIBUV
#include <uv.h>
#endif

namespace {

constexpr int kProcesses = 200;
char program[] = "/bin/true";

double now_us() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench_process: %s\n", what);
  std::exit(1);
}

template <class Body>
double time_of_each(Body&& body) {
  const double begin = now_us();
  for (int i = 0; i < kProcesses; ++i) body();
  return (now_us() - begin) / kProcesses;
}

/// Returns when the program runs.
pid_t spawn_bare() {
  pid_t pid = 0;
  char* const arguments[] = {program, nullptr};
  require(posix_spawn(&pid, program, nullptr, nullptr, arguments, environ) == 0, "posix_spawn");
  return pid;
}

void wait_bare(pid_t pid) {
  int status = -1;
  require(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
}

void run_weft() { require(weft::process::Command(program).run().value().success(), "run()"); }

#if WEFT_BENCH_LIBUV
double run_libuv() {
  uv_loop_t loop;
  uv_loop_init(&loop);
  const double time = time_of_each([&] {
    uv_process_t process;
    char* arguments[] = {program, nullptr};
    uv_process_options_t options{};
    options.file = program;
    options.args = arguments;
    options.exit_cb = [](uv_process_t* ended, std::int64_t, int) {
      uv_close(reinterpret_cast<uv_handle_t*>(ended), nullptr);
    };
    require(uv_spawn(&loop, &process, &options) == 0, "uv_spawn");
    uv_run(&loop, UV_RUN_DEFAULT);
  });
  uv_loop_close(&loop);
  return time;
}
#endif

/// What the program says: a median in ns.
double run_go(const std::string& peers) {
  const std::unique_ptr<FILE, int (*)(FILE*)> output(popen((peers + " 1 process").c_str(), "r"), pclose);
  double ns = 0;
  require(output != nullptr && std::fscanf(output.get(), "process %lf", &ns) == 1, "peers.go");
  return ns * 1e-3;
}

double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

struct Row {
  const char* name;
  std::vector<double> times, ratios;

  void add(double time, double base) {
    times.push_back(time);
    ratios.push_back(time / base);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  const std::string peers = argc > 2 ? argv[2] : "";
  weft::ConcurrentContext context("processes");
  Row rows[] = {{"posix_spawn, waitpid", {}, {}},
                {"weft", {}, {}},
                {"uv_spawn", {}, {}},
                {"Go os/exec", {}, {}},
                {"posix_spawn, until it returns", {}, {}}};
  for (int round = 0; round < rounds; ++round) {
    const double base = time_of_each([] { wait_bare(spawn_bare()); });
    rows[0].add(base, base);
    rows[1].add(context.spawn([] { return time_of_each(run_weft); }).join_uncancellable(), base);
#if WEFT_BENCH_LIBUV
    rows[2].add(run_libuv(), base);
#endif
    if (!peers.empty()) rows[3].add(run_go(peers), base);
    double until_returned = 0;
    for (int i = 0; i < kProcesses; ++i) {
      const double begin = now_us();
      const pid_t pid = spawn_bare();
      until_returned += (now_us() - begin) / kProcesses;
      wait_bare(pid);
    }
    rows[4].add(until_returned, base);
  }
  std::printf("%-34s %10s %10s\n", "/bin/true (Go: 11 x 60 a round)", "us", "ratio");
  for (const Row& row : rows) {
    if (!row.times.empty())
      std::printf("%-34s %10.0f %10.2f\n", row.name, quantile(row.times, 0.5), quantile(row.ratios, 0.5));
  }
  return 0;
}
