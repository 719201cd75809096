// SPDX-License-Identifier: Apache-2.0
// The plugin of dead-man checks: jobs that others run, judged by what they report and by what they do not.
#include "job.hpp"

RONDA_PLUGIN(heartbeat::Job)
