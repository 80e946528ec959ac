// Tells when the kernel changes an address, a link or a route, by its routing netlink messages: a
// node that moves to another network must not wait for the next look. Overlay thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>

namespace ipop::overlay {

class AddressWatch {
 public:
  // `on_change`: something changed, no matter what; called inside io.run(). Throws
  // std::runtime_error if the kernel has no such messages.
  AddressWatch(asio::io_context& io, std::function<void()> on_change);
  AddressWatch(const AddressWatch&) = delete;
  AddressWatch& operator=(const AddressWatch&) = delete;

  // No more calls; io.run() is not kept by it.
  void stop();

 private:
  void wait();

  asio::posix::stream_descriptor socket_;
  std::function<void()> on_change_;
};

}  // namespace ipop::overlay
