// SPDX-License-Identifier: Apache-2.0
// The watch channel (docs/design/watch.md), with the shipping source: nobody misses the last value, nobody is
// given one twice, whatever meets.
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"
#include "model/runtime/item.hpp"
#include "sync/watch/watch_core.hpp"

#include <weft/watch_channel.hpp>

#include <memory>
#include <mutex>
#include <optional>

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;
using model::Item;
using model::ModelFibers;

using Watch = WatchChannel<Item>;
using ItemReceiver = WatchReceiver<Item>;

/// Until the channel is closed; the last of them is `last`.
void sees_to_the_end(ItemReceiver& receiver, int last) {
  int seen = 0;
  for (;;) {
    const auto item = receiver.changed();
    if (!item) {
      model::check(item.error() == Errc::closed && seen == last, "the last one is seen by all");
      return;
    }
    model::check((*item)->number() > seen, "none twice");
    seen = (*item)->number();
  }
}

TEST(ModelWatch, AReceiverSeesTheLastValueAndNoneTwice) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Watch channel(Item(0));
    ItemReceiver receiver = channel.subscribe();
    model::run({{"sender", fibers.fiber(0,
                                        [&] {
                                          for (int i = 1; i <= 3; ++i)
                                            model::check(channel.send(Item(i)).has_value(), "sent");
                                          channel.close();
                                        })},
                {"receiver", fibers.fiber(1, [&] { sees_to_the_end(receiver, 3); })}});
  });
}

TEST(ModelWatch, BothOfTwoReceiversSeeTheLastValue) {
  ModelFibers fibers;
  const auto body = [&](int count) {
    Watch channel(Item(0));
    ItemReceiver first = channel.subscribe();
    ItemReceiver second = channel.subscribe();
    model::run({{"sender", fibers.fiber(0,
                                        [&] {
                                          for (int i = 1; i <= count; ++i)
                                            model::check(channel.send(Item(i)).has_value(), "sent");
                                          channel.close();
                                        })},
                {"first", fibers.fiber(1, [&] { sees_to_the_end(first, count); })},
                {"second", fibers.fiber(2, [&] { sees_to_the_end(second, count); })}});
  };
  model::expect_holds(model::bounded(2), [&] { body(1); });
  model::expect_holds(model::at_random(5'000), [&] { body(3); });
}

TEST(ModelWatch, TwoUpdatesBothCount) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Watch channel(Item(0));
    const auto adds = [&] {
      model::check(channel.update([](const Item& item) { return Item(item.number() + 1); }).has_value(),
                   "done");
    };
    model::run({{"one", adds}, {"other", adds}, {"reader", [&] {
                                                   model::check(channel.get() != nullptr, "some");
                                                 }}});
    model::check(channel.get()->number() == 2, "none is lost");
  });
}

TEST(ModelWatch, ACancelledCallHasSeenNothing) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Watch channel(Item(0));
    ItemReceiver receiver = channel.subscribe();
    bool seen = false;
    model::run({{"receiver", fibers.fiber(0, [&] { seen = receiver.changed().has_value(); })},
                {"sender", [&] { model::check(channel.send(Item(1)).has_value(), "sent"); }},
                {"canceller", [&] { fibers[0].cancel(); }}});
    model::check(receiver.has_changed() != seen, "it is still to be seen");
  });
}

TEST(ModelWatch, OfTwoOnOneReceiverOneIsGivenAVersion) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Watch channel(Item(0));
    ItemReceiver receiver = channel.subscribe();
    int given = 0, closed = 0;
    const auto waits = [&] { receiver.changed() ? ++given : ++closed; };
    model::run({{"one", fibers.fiber(0, waits)},
                {"other", fibers.fiber(1, waits)},
                {"sender", [&] {
                   model::check(channel.send(Item(1)).has_value(), "sent");
                   channel.close();
                 }}});
    model::check(given == 1 && closed == 1, "the other one is told of the end");
  });
}

/// Those who are woken destroy the channel and their receivers while the send is between two portions.
template <class Send>
void its_receivers_destroy_it(ModelFibers& fibers, Send send) {
  auto channel = std::make_unique<Watch>(Item(0));
  std::optional<ItemReceiver> first(channel->subscribe());
  std::optional<ItemReceiver> second(channel->subscribe());
  model::run(
      {{"sender",
        fibers.fiber(0, [&, raw = channel.get()] { send(*raw, detail::Access::place(*first).core()); })},
       {"destroyer", fibers.fiber(1,
                                  [&] {
                                    model::check(first->changed().has_value(), "seen");
                                    channel.reset();
                                    first.reset();
                                  })},
       {"other", fibers.fiber(2, [&] {
          model::check(second->changed().has_value(), "seen");
          second.reset();
        })}});
}

TEST(ModelWatch, TheReceiversMayDestroyItWhileTheSendIsOnItsWayOut) {
  ModelFibers fibers;
  model::expect_holds(model::bounded(3), [&] {
    its_receivers_destroy_it(
        fibers, [](Watch& channel, WatchCore&) { model::check(channel.send(Item(1)).has_value(), "sent"); });
  });
}

TEST(ModelWatch, PlantedALookAtTheChannelAfterTheSendIsFound) {
  ModelFibers fibers;
  model::expect_fails(model::bounded(3), FailureKind::kLifetime, [&] {
    its_receivers_destroy_it(fibers, [](Watch& channel, WatchCore& core) {
      static_cast<void>(channel.send(Item(1)));
      static_cast<void>(core.closed());
    });
  });
}

TEST(ModelWatch, PlantedAReceiverThatQueuesAfterItsLookIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kDeadlock, [&] {
    Watch channel(Item(0));
    ItemReceiver receiver = channel.subscribe();
    model::run({{"receiver", fibers.fiber(0,
                                          [&] {
                                            auto& place = detail::Access::place(receiver);
                                            WatchCore& core = place.core();
                                            if (receiver.has_changed()) return;
                                            Waiter& self = Waiter::current();  // here somebody sends
                                            PositionNode node;
                                            node.waiter = &self;
                                            {
                                              const std::scoped_lock lock(core.lock());
                                              node.ticket = self.begin(Cancellable::kNo);
                                              core.add_receiver_locked(place, node);
                                            }
                                            self.wait();
                                            const std::scoped_lock lock(core.lock());
                                            core.remove_receiver_locked(place, node);
                                          })},
                {"sender", [&] { static_cast<void>(channel.send(Item(1))); }}});
  });
}

}  // namespace
}  // namespace weft
