#include "overlay/directory/opendht_directory.hpp"

#include <opendht/dht.h>
#include <sodium.h>

#include <algorithm>
#include <utility>

#include "overlay/directory/dht_node.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLongestWait = 250ms;
constexpr Duration kShortestWait = 1ms;
constexpr Duration kLookupLife = 5s;
// Without a connection for so long, lookups fail at once instead of waiting for one.
constexpr Duration kCutOffAfter = 10s;
constexpr Duration kPostLife = 60s;
constexpr Duration kRetryPut = 2s;
constexpr std::size_t kMaxEvents = 8192;

dht::InfoHash to_dht(const DirectoryKey& key) {
  return {key.bytes.data(), key.bytes.size()};
}

// Up to a tenth off, so that timers that began together drift apart.
Duration jittered(Duration whole) {
  return whole - whole / 1000 * randombytes_uniform(100);
}

std::uint64_t fresh_value_id() {
  std::uint64_t id = 0;
  while (id == 0)
    randombytes_buf(&id, sizeof id);
  return id;
}

std::shared_ptr<dht::Value> to_dht(const DirectoryValue& value) {
  auto made = std::make_shared<dht::Value>(value.data(), value.size());
  made->id = fresh_value_id();
  return made;
}

// Plain user data, as to_dht() makes: no owner, signature, encryption or user type.
bool is_plain(const dht::Value& value) {
  return value.type == dht::ValueType::USER_DATA.id && value.user_type.empty() &&
         !value.isEncrypted() && !value.owner;
}

using Values = std::vector<std::shared_ptr<dht::Value>>;
using Nodes = std::vector<std::shared_ptr<dht::Node>>;

}  // namespace

OpenDhtDirectory::OpenDhtDirectory(const OpenDhtConfig& config, Send send)
    : upkeep_(config.upkeep),
      node_(std::make_unique<DhtNode>(config, std::move(send), counters_)) {}

OpenDhtDirectory::~OpenDhtDirectory() = default;

void OpenDhtDirectory::on_datagram(const Endpoint& source, ByteView datagram, Instant now) {
  now_ = now;
  due_ = now;
  node_->on_datagram(source, datagram, now);
}

Instant OpenDhtDirectory::run(Instant now) {
  now_ = now;
  node_->run(now);
  if (std::exchange(generation_, node_->generation()) != node_->generation()) forget_dht();
  const bool connected = node_->connected();
  if (connected && !was_connected_) start_over();
  was_connected_ = connected;
  if (connected || connected_at_ == Instant{}) connected_at_ = now;
  limit_waiting();
  deliver();
  due_ = Instant::max();
  if (connected) do_what_is_due();
  const Instant next = std::min(node_->flush(now), events_.empty() ? Instant::max() : now);
  due_ = std::clamp(next, now + kShortestWait, now + kLongestWait);
  return due_;
}

// The DHT node is a new one: what we held of the old one means nothing to it.
void OpenDhtDirectory::forget_dht() {
  for (auto& [key, publication] : publications_)
    publication.id = 0;
  for (auto& [id, lookup] : lookups_)
    lookup.asked = false;
  for (auto& [id, listener] : listeners_) {
    listener.token = 0;
    listener.in_second_form = false;
  }
}

// The network may have forgotten us, or be another part of it than before.
void OpenDhtDirectory::start_over() {
  for (auto& [key, publication] : publications_)
    publication.put_at = now_;
  for (auto& [id, listener] : listeners_)
    listener.listen_at = now_;
}

// Gives times to what was asked for since the last run(), and ends what waited too long.
void OpenDhtDirectory::limit_waiting() {
  for (Posting& posting : postings_) {
    if (posting.until == Instant::max()) posting.until = now_ + kPostLife;
  }
  std::erase_if(postings_, [this](const Posting& posting) { return posting.until <= now_; });
  const bool cut_off = now_ - connected_at_ >= kCutOffAfter;
  for (auto& [id, lookup] : lookups_) {
    if (lookup.until == Instant::max()) lookup.until = now_ + kLookupLife;
    if (lookup.until <= now_ || (cut_off && !lookup.asked)) finish(id, false);
  }
}

void OpenDhtDirectory::do_what_is_due() {
  for (auto& [key, publication] : publications_) {
    if (publication.put_at <= now_) put(key, publication);
  }
  for (const Posting& posting : std::exchange(postings_, {}))
    put_once(posting);
  for (auto& [id, lookup] : lookups_) {
    if (!lookup.asked) ask(id, lookup);
  }
  for (auto& [id, listener] : listeners_) {
    if (listener.listen_at <= now_) {
      start_listening(id, listener);
    } else if (listener.poll_at <= now_) {
      poll(id, listener);
      listener.poll_at = now_ + jittered(upkeep_.poll);
    }
  }
}

void OpenDhtDirectory::publish(const DirectoryKey& key, DirectoryValue value) {
  const auto at = publications_.find(key);
  if (at == publications_.end() &&
      (publications_.size() >= kMaxPublications || !asked_.admit(key, now_))) {
    ++counters_.operations_refused;
    return;
  }
  Publication& publication = publications_[key];
  if (publication.value == value) return;
  publication.value = std::move(value);
  publication.put_at = Instant{};
  due_ = Instant{};
}

void OpenDhtDirectory::withdraw(const DirectoryKey& key) {
  const auto at = publications_.find(key);
  if (at == publications_.end()) return;
  if (at->second.id != 0) node_->dht().cancelPut(to_dht(key), at->second.id);
  publications_.erase(at);
}

// Nodes take no second value under one id, and OpenDHT does not repeat what it believes stored. So
// each put has an id of its own; the copy before is left to expire.
void OpenDhtDirectory::put(const DirectoryKey& key, Publication& publication) {
  if (publication.id != 0) node_->dht().cancelPut(to_dht(key), publication.id);
  const auto value = to_dht(publication.value);
  publication.id = value->id;
  publication.put_at = now_ + jittered(upkeep_.republish);
  ++counters_.puts;
  const auto done = [this, key, id = value->id](bool stored, const Nodes&) {
    if (stored) return;
    ++counters_.puts_failed;
    const auto at = publications_.find(key);
    if (at != publications_.end() && at->second.id == id) at->second.put_at = now_ + kRetryPut;
  };
  node_->dht().put(to_dht(key), value, dht::DoneCallback(done), dht::time_point::max(), true);
}

void OpenDhtDirectory::post(const DirectoryKey& key, DirectoryValue value) {
  if (postings_.size() >= kMaxWaitingPosts || !asked_.admit(key, now_)) {
    ++counters_.operations_refused;
    return;
  }
  postings_.push_back({.key = key, .value = std::move(value)});
  due_ = Instant{};
}

void OpenDhtDirectory::put_once(const Posting& posting) {
  ++counters_.puts;
  const auto done = [this](bool stored, const Nodes&) {
    if (!stored) ++counters_.puts_failed;
  };
  node_->dht().put(to_dht(posting.key), to_dht(posting.value), dht::DoneCallback(done));
}

void OpenDhtDirectory::lookup(const DirectoryKey& key, OnValue found, OnDone done) {
  due_ = Instant{};
  ++counters_.lookups;
  const Id id = next_id_++;
  const bool refused = lookups_.size() >= kMaxLookups || !asked_.admit(key, now_);
  if (refused) {
    ++counters_.operations_refused;
    ++counters_.lookups_failed;
    events_.push_back([done = std::move(done)] { done(false); });
    return;
  }
  lookups_.emplace(
      id, Lookup{.key = key, .found = std::move(found), .done = std::move(done), .gate = {}});
}

void OpenDhtDirectory::ask(Id id, Lookup& lookup) {
  lookup.asked = true;
  const auto found = [this, id](const Values& values) {
    for (const auto& value : values)
      pass_to_lookup(id, value->data, is_plain(*value));
    return lookups_.contains(id);
  };
  const auto done = [this, id](bool complete, const Nodes&) { finish(id, complete); };
  node_->dht().get(to_dht(lookup.key), dht::GetCallback(found), dht::DoneCallback(done));
}

// Its end waits behind its values.
void OpenDhtDirectory::finish(Id id, bool complete) {
  const auto at = lookups_.find(id);
  if (at == lookups_.end() || std::exchange(at->second.finished, true)) return;
  if (!complete) ++counters_.lookups_failed;
  events_.push_back([this, id, complete] {
    const auto node = lookups_.extract(id);
    node.mapped().done(complete);
  });
}

void OpenDhtDirectory::listen(const DirectoryKey& key, OnValue found) {
  if (listeners_.size() >= kMaxListeners) {
    ++counters_.operations_refused;
    return;
  }
  listeners_.emplace(next_id_++, Listener{.key = key, .found = std::move(found), .gate = {}});
  due_ = Instant{};
}

// OpenDHT answers a query from what it already listens to if that covers it, and 2.4.12 keeps
// listening for good after cancelListen(). So listening again asks in another form. There are two,
// no more, that match all plain values (a third, by sequence number, makes it throw).
void OpenDhtDirectory::start_listening(Id id, Listener& listener) {
  dht::Where where;
  if (listener.in_second_form) {
    where.userType("");
  } else {
    where.valueType(dht::ValueType::USER_DATA.id);
  }
  const auto found = [this, id](const Values& values, bool expired) {
    if (expired) return true;
    for (const auto& value : values)
      pass_to_listener(id, value->data, is_plain(*value));
    return true;
  };
  const dht::InfoHash at = to_dht(listener.key);
  const std::size_t last = listener.token;
  listener.token = node_->dht().listen(at, dht::ValueCallback(found), {}, std::move(where));
  if (last != 0) node_->dht().cancelListen(at, last);
  listener.listen_at = Instant::max();
  listener.poll_at = now_ + jittered(upkeep_.poll);
}

// Asks for all values, which neither form of listening covers, so that the network is asked. A
// value that only this brings shows that the listening has gone quiet.
void OpenDhtDirectory::poll(Id id, const Listener& listener) {
  const auto found = [this, id](const Values& values) {
    for (const auto& value : values) {
      if (!pass_to_listener(id, value->data, is_plain(*value))) continue;
      ++counters_.values_polled;
      Listener& quiet = listeners_.at(id);
      if (!std::exchange(quiet.in_second_form, true)) quiet.listen_at = now_;
    }
    return true;
  };
  node_->dht().get(to_dht(listener.key), dht::GetCallback(found), dht::DoneCallback());
}

bool OpenDhtDirectory::admit(ValueGate& gate, ByteView value, bool fits) {
  if (events_.size() >= kMaxEvents) {
    ++counters_.values_too_many;
    return false;
  }
  switch (fits ? gate.check(value, now_) : ValueGate::Verdict::kUnfit) {
    case ValueGate::Verdict::kPass:
      ++counters_.values_passed;
      return true;
    case ValueGate::Verdict::kDuplicate:
      ++counters_.values_duplicate;
      return false;
    case ValueGate::Verdict::kUnfit:
      ++counters_.values_unfit;
      return false;
    case ValueGate::Verdict::kTooMany:
      ++counters_.values_too_many;
      return false;
  }
  return false;
}

void OpenDhtDirectory::pass_to_lookup(Id id, ByteView value, bool fits) {
  const auto at = lookups_.find(id);
  if (at == lookups_.end() || at->second.finished) return;
  if (!admit(at->second.gate, value, fits)) return;
  events_.push_back([this, id, bytes = DirectoryValue(value.begin(), value.end())] {
    if (const auto lookup = lookups_.find(id); lookup != lookups_.end()) {
      lookup->second.found(bytes);
    }
  });
}

bool OpenDhtDirectory::pass_to_listener(Id id, ByteView value, bool fits) {
  const auto at = listeners_.find(id);
  if (at == listeners_.end() || !admit(at->second.gate, value, fits)) return false;
  events_.push_back([this, id, bytes = DirectoryValue(value.begin(), value.end())] {
    if (const auto listener = listeners_.find(id); listener != listeners_.end()) {
      listener->second.found(bytes);
    }
  });
  return true;
}

// Callbacks may call this class again; what that queues waits for the next run().
void OpenDhtDirectory::deliver() {
  for (const Event& event : std::exchange(events_, {}))
    event();
}

std::vector<Endpoint> OpenDhtDirectory::bootstrap_endpoints() const {
  return node_->bootstrap_endpoints();
}

DirectoryStatus OpenDhtDirectory::status() const {
  return {.connected = node_->connected(), .nodes = node_->good_nodes()};
}

}  // namespace ipop::overlay
