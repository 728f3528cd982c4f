/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * departed.h - ports that were to be removed while no daemon ran
 *
 * A container runtime that ends a container does not wait for a daemon. So heddle-cni leaves a note: an empty file, named as the port, in this
 * folder beside the socket. The daemon reads it once it listens, before the first request; who leaves a note looks for the daemon once more
 * afterwards. So a note is never missed: either the daemon did not listen yet when it was left, or it answers.
 *
 * Who does not know that the daemon has another folder for its socket leaves the note where it would be by default: the daemon reads that, too.
 */
#pragma once

/* Where the folders of instances are by default. */
#define HD_RUN_DIR "/run/heddle"

#define HD_DEPARTED_FOLDER "departed"
