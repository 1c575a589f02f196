// SPDX-License-Identifier: Apache-2.0
// The snippets of docs/guide/channels.md, as they stand there; the last test compares them with the page.
#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// What a snippet claims.
#define check(...) EXPECT_TRUE((__VA_ARGS__))

TEST(ChannelsGuide, ARendezvousOrRoomForSome) {
  weft::run([] {
    weft::Channel<int> rendezvous;
    auto sender = weft::spawn([&] { return rendezvous.send(42).has_value(); });
    check(rendezvous.receive().value() == 42);
    check(sender.join());

    weft::Channel<int> buffered(2);
    check(buffered.send(1) && buffered.send(2));                     // no receiver needed
    check(buffered.try_send(3).error() == weft::Errc::would_block);  // full
    check(buffered.receive().value() == 1);
  });
}

TEST(ChannelsGuide, ManyWorkersOneQueue) {
  weft::run([] {
    weft::ParallelContext workers("workers", {.parallelism = 2});
    weft::Channel<int> jobs(16);
    weft::Channel<int> results;
    std::vector<weft::JoinHandle<void>> fibers;
    for (int i = 0; i < 4; ++i) {
      fibers.push_back(workers.spawn([&] {
        for (int job : jobs) results.send(job * job).value();
      }));
    }
    auto producer = weft::spawn([&] {
      for (int i = 1; i <= 10; ++i) jobs.send(i).value();
      jobs.close();  // nothing more will come
    });
    int sum = 0;
    for (int i = 1; i <= 10; ++i) sum += results.receive().value();
    producer.join();
    for (auto& fiber : fibers) fiber.join();
    check(sum == 385);
  });
}

TEST(ChannelsGuide, Closing) {
  weft::run([] {
    weft::Channel<std::unique_ptr<int>> channel(1);
    channel.send(std::make_unique<int>(1)).value();
    channel.close();
    auto late = std::make_unique<int>(2);
    check(channel.send(std::move(late)).error() == weft::Errc::closed);
    check(late != nullptr);           // not moved from
    check(**channel.receive() == 1);  // drained first
    check(channel.receive().error() == weft::Errc::closed);
  });
}

TEST(ChannelsGuide, DeadlinesAndCancellation) {
  weft::run([] {
    weft::Channel<int> channel;
    check(channel.receive_until(weft::Deadline::after(1ms)).error() == weft::Errc::timed_out);
    auto waiting = weft::spawn([&] { return channel.receive().error(); });
    waiting.cancel();
    check(waiting.join() == weft::Errc::cancelled);
  });
}

TEST(ChannelsGuide, WaitingForOneOfSeveralThings) {
  weft::run([] {
    weft::Channel<std::string> words;
    weft::Channel<int> numbers(1);
    std::string text = "not sent";
    std::string log;
    weft::select(weft::receive(words, [&](weft::Result<std::string> word) { log = *word; }),
                 weft::send(words, std::move(text), [&] { log = "sent"; }),
                 weft::send(numbers, 7, [&] { log = "there was room"; }),
                 weft::after(5s, [&] { log = "nothing came"; }));
    check(log == "there was room");
    check(text == "not sent");
  });
}

TEST(ChannelsGuide, WaitingForOneOfSeveralThings2) {
  weft::run([] {
    weft::Channel<int> updates(8);
    updates.send(1).value();
    updates.send(2).value();
    updates.close();
    int latest = 0;
    bool open = true;
    while (open) {
      weft::select(
          weft::receive(updates, [&](weft::Result<int> update) { update ? latest = *update : open = false; }),
          weft::otherwise([&] { open = false; }));
    }
    check(latest == 2);
  });
}

TEST(ChannelsGuide, WaitingForOneOfSeveralThings3) {
  weft::run([] {
    weft::Channel<int> stop;
    weft::Channel<int> work(4);
    auto server = weft::spawn([&] {
      int done = 0;
      bool running = true;
      while (running && weft::select(weft::receive(stop, [&](weft::Result<int>) { running = false; }),
                                     weft::receive(work, [&](weft::Result<int>) { ++done; }))) {}
      return done;
    });
    for (int i = 0; i < 3; ++i) work.send(i).value();
    while (!work.empty()) weft::yield();
    stop.close();
    int done = 0;
    weft::select(weft::join(server, [&](int served) { done = served; }), weft::after(1h, [] {}));
    check(done == 3);
  });
}

std::string contents(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string without_blanks(const std::string& text) {
  std::string rest;
  for (const char c : text) {
    if (c != ' ' && c != '\n') rest += c;
  }
  return rest;
}

TEST(ChannelsGuide, TheSnippetsOfThePageAreThoseThatRunHere) {
  const std::string page = contents(WEFT_GUIDE "/channels.md");
  const std::string here = without_blanks(contents(__FILE__));
  const std::string begin = "```cpp\n";
  int snippets = 0;
  for (std::size_t at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
    const std::size_t from = at + begin.size();
    const std::string snippet = page.substr(from, page.find("```", from) - from);
    EXPECT_NE(here.find(without_blanks(snippet)), std::string::npos) << snippet;
    ++snippets;
  }
  EXPECT_EQ(snippets, 7);
}

}  // namespace
