// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ronda {

/// Unmaps the code and constants that this process has read so far, its own and its libraries': after a start most of
/// them are not needed again. What is still needed is mapped again when it is next read, from the page cache: a minor
/// fault for 16 pages, as after the start itself. Objects whose code was relocated are left alone: their pages are
/// not those of the file. (decision 0019) [any thread]
void release_code_pages() noexcept;

}  // namespace ronda
