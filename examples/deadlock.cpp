// SPDX-License-Identifier: Apache-2.0
// Two fibers take two locks in different orders. weft reports the deadlock: nothing can run any more, with
// the fibers and what each waits for. The handler then ends the program.
#include <weft/weft.hpp>

#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace {

struct Account {
  weft::Mutex mutex;
  long cents = 10'000;
};

void transfer(Account& from, Account& to, long cents) {
  const std::scoped_lock source(from.mutex);
  weft::yield();  // the other fiber runs
  const std::scoped_lock target(to.mutex);
  from.cents -= cents;
  to.cents += cents;
}

}  // namespace

int main() {
  weft::set_deadlock_handler([](const weft::DeadlockReport& report) {
    std::fprintf(stderr, "%zu fibers are deadlocked:\n%s", report.fibers, std::string(report.dump).c_str());
    std::_Exit(EXIT_FAILURE);
  });
  return weft::run([] {
    Account savings, wages;
    auto monthly = weft::spawn([&] { transfer(wages, savings, 500); }, {.name = "monthly saving"});
    auto refund = weft::spawn([&] { transfer(savings, wages, 200); }, {.name = "refund"});
    monthly.join_uncancellable();
    refund.join_uncancellable();
  });
}
