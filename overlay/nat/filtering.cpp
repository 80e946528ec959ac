#include "overlay/nat/filtering.hpp"

#include <sodium.h>

namespace ipop::overlay {

const char* name(NatFiltering filtering) noexcept {
  switch (filtering) {
    case NatFiltering::kUnknown:
      break;
    case NatFiltering::kEndpointIndependent:
      return "endpoint-independent";
    case NatFiltering::kAddressDependent:
      return "address-dependent";
    case NatFiltering::kAddressAndPortDependent:
      return "address- and port-dependent";
  }
  return "unknown";
}

void FilteringDiscovery::start(const Endpoint& near, const Endpoint& other, Instant now) {
  forget();
  if (sockets_ == nullptr) return;
  const auto socket = sockets_->open_socket();
  if (!socket) return;
  socket_ = *socket;
  near_ = near;
  other_ = other;
  for (stun::TransactionId* id : {&learning_id_, &other_id_, &port_id_})
    randombytes_buf(id->data(), id->size());
  from_other_port_ = not_possible_ = false;
  step_ = Step::kLearning;
  tries_ = 0;
  ask(now);
}

void FilteringDiscovery::forget() {
  stop();
  filtering_ = NatFiltering::kUnknown;
}

void FilteringDiscovery::stop() {
  if (socket_ != 0) sockets_->close_socket(socket_);
  socket_ = 0;
  step_ = Step::kIdle;
}

void FilteringDiscovery::ask(Instant now) {
  next_ = now + kTryEvery;
  ++tries_;
  Endpoint near = near_;
  near.socket = socket_;
  if (step_ == Step::kLearning) {
    send_(near, stun::encode_request(learning_id_));
    return;
  }
  send_(other_, stun::encode_request(other_id_, {.response_port = outside_port_}));
  send_(near, stun::encode_request(port_id_, {.from_other_port = true}));
}

void FilteringDiscovery::service(Instant now) {
  if (step_ == Step::kIdle || now < next_) return;
  if (tries_ < kTries) return ask(now);
  if (step_ == Step::kAsking) conclude();
  stop();
}

// Nothing that could have come was lost five times.
void FilteringDiscovery::conclude() {
  filtering_ = not_possible_      ? NatFiltering::kUnknown
               : from_other_port_ ? NatFiltering::kAddressDependent
                                  : NatFiltering::kAddressAndPortDependent;
}

bool FilteringDiscovery::on_response(const Endpoint& source, ByteView datagram, Instant now) {
  if (step_ == Step::kIdle) return false;
  const auto response = stun::parse_response(datagram);
  if (!response) return false;
  const bool here = source.socket == socket_;
  if (step_ == Step::kLearning && response->id == learning_id_) {
    if (!here || source.bare() != near_.bare() || !response->mapped) return true;
    outside_port_ = response->mapped->port;
    step_ = Step::kAsking;
    tries_ = 0;
    ask(now);
    return true;
  }
  if (step_ != Step::kAsking) return false;
  if (response->id == other_id_) {
    // Whoever does not know the attribute answers to where the question came from.
    if (here && response->mapped && source.bare() == other_.bare()) {
      filtering_ = NatFiltering::kEndpointIndependent;
      stop();
    } else {
      not_possible_ = true;
    }
    return true;
  }
  if (response->id == port_id_) {
    const bool other_port = source.address == near_.address && source.port != near_.port;
    if (here && response->mapped && other_port) {
      from_other_port_ = true;
    } else {
      not_possible_ = true;
    }
    return true;
  }
  return false;
}

std::optional<Instant> FilteringDiscovery::deadline() const {
  if (step_ == Step::kIdle) return std::nullopt;
  return next_;
}

}  // namespace ipop::overlay
