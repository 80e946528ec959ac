// Revocation lists in the directory, so that nodes which are connected to nobody with a newer one
// learn of it, too. All nodes listen in one place per CA. What is stored there runs out after ten
// minutes: whoever has the list stores it again at a random time after it was stored last, and puts
// that off when it hears that another one did; so one node or a few do it, however many there are.
// A list counts when its CA has signed it, and if it is newer, as Admission sees to. Overlay
// thread; time is passed in.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "overlay/peer/admission.hpp"
#include "overlay/peer/context.hpp"
#include "overlay/peer/revocation_notice.hpp"

namespace ipop::overlay {

class RevocationSpread {
 public:
  static constexpr std::size_t kMostPlaces = 16;  // that we ever listen in
  static constexpr std::size_t kMostFetches = 4;  // lists in parts, at once
  static constexpr unsigned kNewsPerSecond = 20;  // that are looked at closer
  // Parts that are asked for without a pause; then one a second. Whoever makes up lists makes up
  // places, too, and the directory asks in a limited number of them an hour.
  static constexpr unsigned kPartsAtOnce = 240;

  // `now` is the time of the event being handled.
  RevocationSpread(Context& context, Admission& admission, const Now& now)
      : context_(context), admission_(admission), now_(now) {}

  // At the start, and when the CAs are others.
  void listen();
  // A newer list counts.
  void on_news();
  // ... and nobody else may have it.
  void store_soon();
  void service();
  [[nodiscard]] std::optional<Instant> deadline() const;

 private:
  // Of one CA.
  struct Place {
    ContentDigest list{};  // of the one that the rest is about; zero = we have none
    std::optional<Instant> store_at;
    bool seen = false;  // it stands in the directory, or we stored it
  };
  // A list that is being put together. A bit for each part.
  struct Fetch {
    x509::KeyId signer{};
    RevocationNotice notice;
    std::vector<std::vector<std::uint8_t>> parts;
    std::uint64_t missing = 0;
    std::uint64_t under_way = 0;
    Instant ask_at{};
    Instant until{};
  };
  using FetchId = std::uint64_t;

  void on_notice(const x509::KeyId& signer, ByteView value);
  void on_part(FetchId id, unsigned index, ByteView value);
  void on_part_done(FetchId id, unsigned index);
  // Found to be in the directory since then.
  void on_copy(Place& place, WallTime stored);
  void take(const x509::KeyId& signer, ByteView der, WallTime stored);
  void fetch(const x509::KeyId& signer, RevocationNotice notice);
  void ask(FetchId id, Fetch& fetch);
  void store(const x509::KeyId& signer, Place& place);
  void send_waiting();
  [[nodiscard]] bool admit_news();
  [[nodiscard]] bool admit_parts(std::size_t count);

  Context& context_;
  Admission& admission_;
  const Now& now_;
  std::map<x509::KeyId, Place> places_;  // bounded
  std::map<FetchId, Fetch> fetches_;     // bounded
  FetchId next_fetch_ = 0;
  std::deque<std::pair<DirectoryKey, DirectoryValue>> waiting_;  // to be stored, a few at a time
  Instant next_send_{};
  Instant second_{};
  unsigned news_in_second_ = 0;
  double parts_left_ = kPartsAtOnce;
  Instant parts_filled_{};
  // Callbacks of the directory outlive this only as far as it does.
  std::shared_ptr<RevocationSpread*> self_ = std::make_shared<RevocationSpread*>(this);
};

}  // namespace ipop::overlay
