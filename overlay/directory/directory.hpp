// The directory that peers are found in: values under keys, as a DHT gives them, that is: anybody
// may store anything, old values linger, and nothing is promised. So callers seal, sign and number
// what they store, and check what they find. Overlay thread. OpenDHT in the product, a map in
// tests.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "overlay/directory/directory_key.hpp"

namespace ipop::overlay {

using DirectoryValue = std::vector<std::uint8_t>;

struct DirectoryStatus {
  bool connected = false;
  unsigned nodes = 0;  // good ones in the routing tables, both families
};

class Directory {
 public:
  // Called once per value, also for several at the same key; never from inside the call that
  // registered it.
  using OnValue = std::function<void(ByteView value)>;
  // `complete` is false if the network could not be asked.
  using OnDone = std::function<void(bool complete)>;

  virtual ~Directory() = default;

  // Stores `value` and keeps it alive until the next publish() under this key or withdraw().
  virtual void publish(const DirectoryKey& key, DirectoryValue value) = 0;
  virtual void withdraw(const DirectoryKey& key) = 0;
  // Stores `value` once, for minutes: a message.
  virtual void post(const DirectoryKey& key, DirectoryValue value) = 0;
  // Values as they come in, then `done`, exactly once.
  virtual void lookup(const DirectoryKey& key, OnValue found, OnDone done) = 0;
  // Values under `key`, those there and each new one soon after it is stored. May repeat values.
  virtual void listen(const DirectoryKey& key, OnValue found) = 0;

  [[nodiscard]] virtual DirectoryStatus status() const = 0;
};

}  // namespace ipop::overlay
