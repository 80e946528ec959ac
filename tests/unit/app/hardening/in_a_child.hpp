// Runs something in a process of its own, because what is given up there never comes back.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace ipop::app::hardening {

// What `act` returned, 0 to 254; 255 if it did not return.
template <typename Act>
int in_a_child(Act act) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(act());
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 255;
  return WEXITSTATUS(status);
}

}  // namespace ipop::app::hardening
