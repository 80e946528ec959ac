// Finds who holds an inner address: asks the directory, again until it answers or time is up, and
// remembers for a while that nobody does. Bounded. Overlay thread; time is passed in.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "overlay/peer/context.hpp"
#include "overlay/timer_queue.hpp"

namespace ipop::overlay {

class AddressResolver {
 public:
  // `on_record`: a valid record of another node that claims the address; may come more than once.
  // `on_failure`: nobody was reached in time.
  AddressResolver(Context& context, std::function<void(const NodeRecord&)> on_record,
                  std::function<void(const IpAddress&)> on_failure);

  // Starts looking, unless it does already. Returns false if the address was looked for in vain
  // just now, or if too many are being looked for.
  [[nodiscard]] bool resolve(const IpAddress& address, Now now);
  // The address is reachable: stop looking.
  void settle(const IpAddress& address);
  [[nodiscard]] bool resolving(const IpAddress& address) const;
  [[nodiscard]] std::vector<IpAddress> pending() const;

  // The time for what the directory calls back with.
  void set_time(Now now) { last_now_ = now; }
  void service(Now now);
  [[nodiscard]] std::optional<Instant> deadline() const;

 private:
  struct Query {
    Instant deadline;
    Instant next_lookup;
    bool looking = false;
  };

  void look_up(const IpAddress& address, Query& query, Now now);

  Context& context_;
  std::function<void(const NodeRecord&)> on_record_;
  std::function<void(const IpAddress&)> on_failure_;
  std::map<IpAddress, Query> queries_;
  std::map<IpAddress, Instant> unreachable_until_;
  Now last_now_;
  // Callbacks of the directory outlive the resolver only as far as this does.
  std::shared_ptr<AddressResolver*> self_ = std::make_shared<AddressResolver*>(this);
};

}  // namespace ipop::overlay
