// Faults of the disk, for tests: a program that links this has its own `write`, `fsync`, `rename` and so on, which do what the system's
// do until the calling thread asks for trouble. Other threads never notice.
#ifndef WAXWING_FAULTS_H
#define WAXWING_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum waxwing_fault_mode {
    /// Calls are counted, and succeed.
    WAXWING_FAULT_COUNT = 0,
    /// The disk dies: the call of the given number does half of its work, and it and all later ones fail with EIO.
    WAXWING_FAULT_CRASH = 1,
    /// The call of the given number does half of its work and fails with the given error; later ones succeed.
    WAXWING_FAULT_ONCE = 2,
};

/// Arms this thread. `scratch` is an empty folder on the file system under test, where what is overwritten is kept until it may be forgotten.
void waxwing_faults_arm(enum waxwing_fault_mode mode, uint64_t at, int error, const char *scratch);

/// Ends the faults of this thread.
///
/// Returns how many calls that change something on the disk the thread has made since it was armed.
uint64_t waxwing_faults_disarm(void);

/// The power goes: takes back whatever was done since this thread was armed and was not brought to the disk by an fsync of the file (its content)
/// or of the folder (its names). For use after `waxwing_faults_disarm`. Returns false where that could not be done.
bool waxwing_faults_lose_unsynced(void);

/// The same, but some of it had come to the disk already: of each file's content, and of all names, the beginning up to a moment that the seed
/// chooses. Another seed, another choice; 0 takes back everything.
bool waxwing_faults_lose_some_unsynced(uint64_t seed);

/// Forgets what `waxwing_faults_lose_unsynced` would take back.
void waxwing_faults_forget(void);

#endif
