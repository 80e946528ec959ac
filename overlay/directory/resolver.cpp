#include "overlay/directory/resolver.hpp"

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace ipop::overlay {
namespace {

constexpr std::size_t kMaxEndpoints = 16;

}  // namespace

// What the threads and the overlay thread share; lives until the last of them has let go.
struct Resolver::Shared {
  Lookup lookup;  // r by all, never written
  std::mutex mutex;
  std::size_t running = 0;      // under `mutex`
  std::vector<Answer> answers;  // under `mutex`

  void answer(Answer answer, bool from_thread) {
    const std::lock_guard lock(mutex);
    answers.push_back(std::move(answer));
    if (from_thread) --running;
  }
};

Resolver::Resolver(Lookup lookup) : shared_(std::make_shared<Shared>()) {
  shared_->lookup = std::move(lookup);
}

bool Resolver::start(const conf::HostPort& host) {
  if (const auto literal = IpAddress::parse(host.host)) {
    shared_->answer({host, std::vector{Endpoint{*literal, host.port}}}, false);
    return true;
  }
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->running >= kMaxThreads) return false;
    ++shared_->running;
  }
  try {
    std::thread([shared = shared_, host] {
      pthread_setname_np(pthread_self(), "ipop-resolver");
      shared->answer({host, shared->lookup(host)}, true);
    }).detach();
  } catch (const std::system_error& error) {
    shared_->answer({host, fail("cannot start a thread: " + std::string(error.what()))}, true);
  }
  return true;
}

std::vector<Resolver::Answer> Resolver::take() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->answers, {});
}

bool Resolver::busy() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->running != 0 || !shared_->answers.empty();
}

Result<std::vector<Endpoint>> Resolver::ask_system(const conf::HostPort& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.host.c_str(), nullptr, &hints, &found);
  if (error == EAI_SYSTEM) return fail_errno("cannot resolve " + host.host, errno);
  if (error != 0) return fail("cannot resolve " + host.host + ": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);

  std::vector<Endpoint> endpoints;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (endpoints.size() == kMaxEndpoints || at->ai_addrlen > sizeof(sockaddr_storage)) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, at->ai_addr, at->ai_addrlen);
    Endpoint endpoint = Endpoint::from_sockaddr(storage);
    endpoint.port = host.port;
    if (endpoint.address.is_unspecified()) continue;
    if (std::ranges::find(endpoints, endpoint) == endpoints.end()) endpoints.push_back(endpoint);
  }
  if (endpoints.empty()) return fail("cannot resolve " + host.host + ": it has no address");
  return endpoints;
}

}  // namespace ipop::overlay
