// SPDX-License-Identifier: Apache-2.0
#include <weft/io/wait.hpp>

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/operation/operate.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"
#include "sys/io.hpp"
#include "sys/poll.hpp"

#include <weft/select.hpp>

#include <poll.h>

namespace weft::io {
namespace {

bool includes(Interest interest, Interest one) noexcept {
  return (static_cast<unsigned>(interest) & static_cast<unsigned>(one)) != 0;
}

// Not POLLPRI: no library reads urgent data, so a peer that sends some would make its waiter spin.
Result<Ready> look(int fd, Interest interest) noexcept {
  const bool read = includes(interest, Interest::kReadable);
  const bool write = includes(interest, Interest::kWritable);
  const Result<int> events = sys::poll_events(fd, (read ? POLLIN | POLLRDHUP : 0) | (write ? POLLOUT : 0));
  if (!events) return events.error();
  const bool hung_up = (*events & POLLHUP) != 0;
  const bool error = (*events & POLLERR) != 0;
  const bool ended = hung_up || error;
  const Ready ready{.readable = read && (ended || (*events & (POLLIN | POLLRDHUP)) != 0),
                    .writable = write && (ended || (*events & POLLOUT) != 0),
                    .hung_up = hung_up,
                    .error = error};
  if (!ready.readable && !ready.writable) return sys::error_of(EAGAIN);
  return ready;
}

class Look final : public Operation {
 public:
  explicit Look(Interest interest) noexcept
      : Operation(interest == Interest::kWritable ? Direction::kWrite : Direction::kRead),
        interest_(interest) {}

  Result<void> attempt(Descriptor& descriptor) override {
    const Result<Ready> looked = look(descriptor.fd, interest_);
    if (!looked) return looked.error();
    ready = *looked;
    return {};
  }

  Ready ready;

 private:
  const Interest interest_;
};

Result<Ready> wait_in_one_direction(DescriptorHandle handle, Interest interest, Deadline deadline) {
  Look operation(interest);
  if (const Result<void> looked = Files::perform(handle, operation, deadline); !looked) return looked.error();
  return operation.ready;
}

/// Suspends until one direction may be ready; Errc::timed_out at `deadline`.
Result<void> wait_for_either(Registration& registration, Deadline deadline) {
  Result<void> outcome;
  const auto keep = [&](Result<void> result) { outcome = result; };
  const Selected taken = select(readable(registration, keep), writable(registration, keep),
                                after(deadline, [&] { outcome = Errc::timed_out; }));
  return taken ? outcome : taken.error();
}

Result<Ready> wait_in_both_directions(Registration& registration, DescriptorHandle handle,
                                      Deadline deadline) {
  for (;;) {
    {
      DescriptorUse descriptor(handle);
      if (!descriptor) return Errc::closed;
      Runner& runner = *this_runner();
      if (!same_world(runner, *descriptor)) return Errc::unsupported;
      if (const WaitOutcome due = end_due(runner, deadline); due != WaitOutcome::kReady)
        return result_of_outcome(due).error();
      const Result<Ready> looked = look(descriptor->fd, Interest::kReadable | Interest::kWritable);
      if (looked) {
        spend_budget(runner);
        return looked;
      }
      if (!sys::would_block(looked.error())) return looked.error();
    }
    if (const Result<void> waited = wait_for_either(registration, deadline); !waited) return waited.error();
  }
}

Result<Ready> wait_for(Registration& registration, DescriptorHandle handle, Interest interest,
                       Deadline deadline) {
  if (interest == Interest::kReadable || interest == Interest::kWritable)
    return wait_in_one_direction(handle, interest, deadline);
  if (interest == (Interest::kReadable | Interest::kWritable))
    return wait_in_both_directions(registration, handle, deadline);
  return std::make_error_code(std::errc::invalid_argument);
}

}  // namespace

Result<Ready> wait(int fd, Interest interest, Deadline deadline) {
  require_fiber("io::wait()");
  Registration registration;
  if (const Result<void> attached = registration.attach(fd); !attached) return attached.error();
  return registration.wait(interest, deadline);
}

Registration& Registration::operator=(Registration&& other) noexcept {
  transfer(handle_, other.handle_);
  return *this;
}

Registration::~Registration() { close_if_open(handle_); }

Result<void> Registration::attach(int fd) {
  require_fiber("attach() of a registration");
  if (this_runner()->network != nullptr) return Errc::unsupported;
  if (DescriptorUse descriptor(handle_); descriptor && sys::same_file(descriptor->fd, fd)) return {};
  close_if_open(handle_.take());
  Result<sys::Fd> copy = sys::duplicate(fd);
  if (!copy) return copy.error();
  const Result<DescriptorHandle> adopted = Files::adopt(*copy, DescriptorKind::kOther);
  if (!adopted) return adopted.error();
  handle_ = *adopted;
  return {};
}

Result<void> Registration::detach() { return close_once(handle_); }
bool Registration::attached() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }

Result<Ready> Registration::wait(Interest interest, Deadline deadline) {
  require_fiber("wait() of a registration");
  return wait_for(*this, handle_, interest, deadline);
}

}  // namespace weft::io
