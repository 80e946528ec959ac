// The examination that an AEAD engine has to pass before a packet is trusted to it. Run once per
// engine at start-up, on the thread that makes it; allocates, and so is never called by a lcore.
#pragma once

#include "engine/aead/aead.hpp"

namespace ipop::engine {

// Seals and opens fixed vectors of every suite the engine has, alone and as one mixed burst, in
// place and out of place, and sees that one damaged bit is refused. Throws std::runtime_error with
// the vector that went wrong.
void check_known_answers(AeadEngine& engine);

}  // namespace ipop::engine
