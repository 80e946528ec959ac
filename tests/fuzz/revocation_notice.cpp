// Notices of revocation lists, and parts of such, as strangers and as hostile members store them in
// the directory. The first byte says which, and whether the input is sealed as a member would. What
// opens is written and opened again as the same.
#include "overlay/peer/revocation_notice.hpp"

#include <algorithm>

#include "overlay/directory/sealed_box.hpp"
#include "tests/fuzz/member.hpp"

namespace {

using namespace ipop;
using namespace ipop::overlay;
using namespace ipop::fuzz;

constexpr x509::KeyId kSigner{7};

void open_notice(ByteView value) {
  const auto opened = RevocationNotice::open(value, network(), kSigner);
  if (!opened) return;
  require(opened->size <= x509::kMaxList && opened->parts.size() <= RevocationNotice::kMostParts);
  require(opened->list.empty() != opened->parts.empty());
  const auto again = RevocationNotice::open(opened->seal(network(), kSigner), network(), kSigner);
  require(again && again->is_of_same_list(*opened) && again->stored == opened->stored);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  const Secret<32>& key = network().record_seal();
  const auto digest = part_digest(bytes);
  const DirectoryKey notice_at = network().revoked_key(kSigner);
  const DirectoryKey part_at = network().revoked_part_key(digest);
  switch (data[0] % 4) {
    case 0:
      open_notice(bytes);
      break;
    case 1:
      open_notice(seal_box(key, "ipop revoked v1", notice_at, bytes));
      break;
    case 2:
      require(!open_part(bytes, network(), {}));
      break;
    default: {
      const auto opened =
          open_part(seal_box(key, "ipop revoked part v1", part_at, bytes), network(), digest);
      require(opened.has_value() == (bytes.size() <= RevocationNotice::kPart));
      require(!opened || std::ranges::equal(*opened, bytes));
      break;
    }
  }
  return 0;
}
