# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# heddle.bash - completion for bash: "heddle complete" knows what may follow, this only asks it
#
# What was split at '=' and ':' for the benefit of other commands is put together again first.

_heddle()
{
	local cur prev words cword

	_init_completion -n =: || return
	if [[ $prev == -f || $prev == --file ]]; then
		_filedir
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W \
		"$(heddle complete -- "${words[@]:1:cword-1}" 2>/dev/null)" -- "$cur")
}

complete -F _heddle heddle
