// Two engines must agree: at start, our own kernels with a library, over lengths and bursts that
// known answers do not reach. On the thread that makes them; allocates.
#pragma once

#include "engine/aead/aead.hpp"

namespace ipop::engine {

// Both seal the same random packets of every suite they share, in bursts of 1 to 64, and each opens
// what the other has sealed, but for one packet of each burst with a flipped bit. Throws
// std::runtime_error that names the suite and the length for which they differ.
void check_same_results(AeadEngine& engine, AeadEngine& reference);

}  // namespace ipop::engine
