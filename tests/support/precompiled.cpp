// SPDX-License-Identifier: Apache-2.0
// Nothing of its own: the headers that all tests read are compiled once, for this file, and used by every test.
