#include "overlay/nat/stun_client.hpp"

#include <sodium.h>

#include <algorithm>

namespace ipop::overlay::stun {
namespace {

constexpr unsigned kSilentAt = 3;  // questions without an answer

}  // namespace

void Client::set_servers(const std::vector<Endpoint>& servers, Instant now) {
  std::vector<Query> wanted;
  for (const Endpoint& server : servers) {
    if (wanted.size() == kMostServers) break;
    if (std::ranges::find(wanted, server, &Query::server) != wanted.end()) continue;
    const auto known = std::ranges::find(queries_, server, &Query::server);
    wanted.push_back(known != queries_.end() ? *known : Query{.server = server, .next = now});
  }
  queries_ = std::move(wanted);
}

void Client::restart(Instant now) {
  for (Query& query : queries_)
    query = {.server = query.server,
             .given_up = query.given_up,
             .answered = query.answered,
             .next = now};
}

void Client::service(Instant now) {
  for (Query& query : queries_) {
    if (query.next > now) continue;
    if (query.tries == kTries) {
      const Duration rest = kRefresh * (1u << std::min(query.given_up, 4u));
      query = {.server = query.server,
               .given_up = query.given_up + 1,
               .mapped = query.mapped,
               .next = now + std::min(rest, kLongestRest)};
    } else {
      ask(query, now);
    }
  }
}

void Client::ask(Query& query, Instant now) {
  // A new transaction for a new question, the same for its repetitions (RFC 8489 §6.2.1).
  if (!query.waiting) randombytes_buf(query.id.data(), query.id.size());
  query.waiting = true;
  query.asked = now;
  query.next = now + kFirstTimeout * (1u << query.tries);
  ++query.tries;
  send_(query.server, encode_request(query.id));
}

Instant Client::deadline() const noexcept {
  Instant earliest = Instant::max();
  for (const Query& query : queries_)
    earliest = std::min(earliest, query.next);
  return earliest;
}

bool Client::on_response(const Endpoint& source, ByteView datagram, Instant now) {
  const auto response = parse_response(datagram);
  if (!response) return false;
  const auto query = std::ranges::find_if(queries_, [&](const Query& each) {
    return each.waiting && each.server == source && each.id == response->id;
  });
  if (query == queries_.end()) return false;
  const Endpoint before = query->mapped;
  *query = {.server = query->server,
            .answered = response->mapped.has_value(),
            .mapped = response->mapped.value_or(before),
            .rtt = now - query->asked,
            .next = now + kRefresh};
  if (!response->mapped) return true;
  if (before.port != 0 && before != *response->mapped) {
    for (Query& other : queries_) {
      if (other.server != source && !other.waiting) other.next = now;
    }
  }
  on_mapped_(source, *response->mapped, now);
  return true;
}

std::vector<Client::ServerStatus> Client::servers() const {
  std::vector<ServerStatus> list;
  for (const Query& query : queries_)
    list.push_back({query.server, query.answered, query.given_up != 0 || query.tries >= kSilentAt,
                    query.mapped, query.rtt});
  return list;
}

}  // namespace ipop::overlay::stun
