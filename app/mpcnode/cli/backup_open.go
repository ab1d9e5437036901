package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// flagAgeIdentity names a file with the private half of a recipient.
	flagAgeIdentity = "age-identity"
	// flagKeyState names files with answers of "query mpc key" or "query mpc keys".
	flagKeyState = "key-state"
	// flagUpto names the file that counts as the newest.
	flagUpto = "upto"
)

// addUptoFlag lets a command look at a folder as it was once.
func addUptoFlag(cmd *cobra.Command) {
	cmd.Flags().Int(flagUpto, 0, "number of the file that counts as the newest, where later ones were made by a node that had lost shares, or lack the epoch of a key that the chain went back to (default: all count)")
}

// folderOf is the folder of a path, as far as its files count.
func folderOf(cmd *cobra.Command, dir string) (backup.Folder, error) {
	folder := backup.At(dir)
	if !cmd.Flags().Changed(flagUpto) {
		return folder, nil
	}
	last, err := cmd.Flags().GetInt(flagUpto)
	if err != nil {
		return folder, err
	}
	if last < 1 {
		return folder, fmt.Errorf("--%s: files have numbers from 1, got %d", flagUpto, last)
	}
	return folder.Upto(last), nil
}

// addOpenFlags lets a command open backups.
func addOpenFlags(cmd *cobra.Command) {
	addUptoFlag(cmd)
	cmd.Flags().StringArray(flagAgeIdentity, nil, "file with the age identity (AGE-SECRET-KEY-1...) of a recipient; may be given again")
	cmd.Flags().StringArray(flagBackupPassphrase, nil, "source of the backup's passphrase: prompt, file:PATH, env:NAME or credential:NAME; given again where files were made with several (default: prompt, without --"+flagAgeIdentity+")")
	cmd.Flags().StringSlice(flagKeyState, nil, types.ForProgram("file with the answer of: sequencerd query mpc key ID -o json, or query mpc keys -o json; may be given again, as for its further pages"))
}

// openBackup decrypts the backups of a folder. The caller wipes them.
func openBackup(cmd *cobra.Command, dir string) (*backup.Saved, error) {
	folder, err := folderOf(cmd, dir)
	if err != nil {
		return nil, err
	}
	if _, err := folder.Newest(); err != nil { // before a passphrase is asked for
		return nil, err
	}
	with, err := backupIdentities(cmd)
	if err != nil {
		return nil, err
	}
	return folder.Open(with)
}

// backupIdentities are all that the flags name: the files of a folder may be made for
// several recipients, or for a passphrase that was changed in between.
func backupIdentities(cmd *cobra.Command) (with backup.Identities, err error) {
	paths, err := cmd.Flags().GetStringArray(flagAgeIdentity)
	if err != nil {
		return with, err
	}
	for _, path := range paths {
		one, err := ageIdentity(path)
		if err != nil {
			return with, fmt.Errorf("--%s: %w", flagAgeIdentity, err)
		}
		with = with.And(one)
	}
	sources, err := cmd.Flags().GetStringArray(flagBackupPassphrase)
	if err != nil {
		return with, err
	}
	if len(sources) == 0 && len(paths) == 0 {
		sources = []string{"prompt"}
	}
	home := client.GetClientContextFromCmd(cmd).HomeDir
	for i, text := range sources {
		what := "the backup"
		if len(sources) > 1 {
			what = fmt.Sprintf("the backup, %d of %d", i+1, len(sources))
		}
		one, err := backupPassphrase(home, text, what)
		if err != nil {
			return with, fmt.Errorf("--%s: %w", flagBackupPassphrase, err)
		}
		with = with.And(one)
	}
	return with, nil
}

func ageIdentity(path string) (backup.Identities, error) {
	file, err := os.Open(path)
	if err != nil {
		return backup.Identities{}, err
	}
	defer file.Close()
	return backup.WithIdentities(file)
}

func backupPassphrase(home, text, what string) (backup.Identities, error) {
	source, err := mpcnode.ParsePassphraseSource(text)
	if err != nil {
		return backup.Identities{}, err
	}
	passphrase, err := source.Read(home, what)
	if err != nil {
		return backup.Identities{}, err
	}
	defer types.Wipe(passphrase)
	return backup.WithPassphrase(passphrase)
}

// keyStates reads the files of --key-state. It says if pages of an answer are missing:
// what is on them is not known.
func keyStates(cmd *cobra.Command) (map[string]mpctypes.Key, error) {
	paths, err := cmd.Flags().GetStringSlice(flagKeyState)
	if err != nil {
		return nil, err
	}
	keys := make(map[string]mpctypes.Key, len(paths))
	pages, whole := false, false
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flagKeyState, err)
		}
		answer, err := keysAnswered(client.GetClientContextFromCmd(cmd).Codec, text)
		if err != nil {
			return nil, errors.Join(fmt.Errorf(types.ForProgram("--%s: %s is no answer of: sequencerd query mpc key ID -o json, nor of: sequencerd query mpc keys -o json"), flagKeyState, path), err)
		}
		for _, key := range answer.Keys {
			keys[key.Id] = key
		}
		if answer.Pagination != nil {
			pages, whole = true, whole || nextPage(answer.Pagination) == nil
		}
	}
	if pages && !whole {
		fmt.Fprintf(cmd.ErrOrStderr(), "--%s: the answer has further pages, whose keys are not known here; save them too (--page-key), or all in one (--page-limit)\n", flagKeyState)
	}
	return keys, nil
}

// keysAnswered reads what the chain answers of one key, or of many.
func keysAnswered(cdc codec.JSONCodec, text []byte) (mpctypes.QueryKeysResponse, error) {
	var one mpctypes.QueryKeyResponse
	if err := cdc.UnmarshalJSON(text, &one); err == nil && one.Key.Id != "" {
		return mpctypes.QueryKeysResponse{Keys: []mpctypes.Key{one.Key}}, nil
	}
	var many mpctypes.QueryKeysResponse
	err := cdc.UnmarshalJSON(text, &many)
	if err == nil && many.Keys == nil && many.Pagination == nil {
		err = errors.New("it has no keys")
	}
	return many, err
}

// participantState reads the file of --participant-state; nil if none was given.
func participantState(cmd *cobra.Command) (*mpctypes.Participant, error) {
	path, err := cmd.Flags().GetString(flagParticipantState)
	if err != nil || path == "" {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flagParticipantState, err)
	}
	var answer mpctypes.QueryParticipantResponse
	if err := client.GetClientContextFromCmd(cmd).Codec.UnmarshalJSON(text, &answer); err != nil || answer.Participant.Operator == "" {
		return nil, errors.Join(fmt.Errorf(types.ForProgram("--%s: %s is no answer of: sequencerd query mpc participant OPERATOR -o json"), flagParticipantState, path), err)
	}
	return &answer.Participant, nil
}
