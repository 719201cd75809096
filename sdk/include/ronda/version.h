/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where the versions of Ronda and of its plugin boundary are written. */
#ifndef RONDA_VERSION_H
#define RONDA_VERSION_H

#define RONDA_VERSION "0.1.0"

/* The plugin boundary: the major is in the entry symbol's name, the minor only grows. */
#define RONDA_ABI_MAJOR 1
#define RONDA_ABI_MINOR 0

#endif
