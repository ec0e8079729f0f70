# SPDX-License-Identifier: Apache-2.0
# allot-export: probe + costs -> bundle.

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    make_tables . 60
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output probe.h5 --epochs 2 --hidden 8 > train.log
}

export_bundle() {
    allot-export --probe probe.h5 --costs costs.json --output model.safetensors "$@"
}
# refuses CODE PATTERN COMMAND...
refuses() {
    local code=$1 pattern=$2
    shift 2
    run "$@"
    echo "$output"
    [ "$status" = "$code" ]
    [ "${#lines[@]}" = 1 ]
    [ ! -e model.safetensors ]
    [[ "$output" == $pattern ]]
}

@test "writes a bundle and says what is in it" {
    run export_bundle --uncalibrated
    [ "$status" = 0 ]
    [ "${lines[0]}" = "wrote 'model.safetensors': 6 strategies, embedding 'allot-ngram-1' (64 entries), not calibrated" ]
    [ "${lines[1]}" = "costs: tokens and seconds at 1 query in flight" ]
    cp model.safetensors one
    export_bundle --uncalibrated --json |
        jq -e '.strategies == 6 and .calibrated == false and .load == 1 and .embedding_dimension == 64'
    cmp one model.safetensors
}

@test "the bundle is a safetensors file that others can read" {
    export_bundle --uncalibrated
    python3 - << 'END'
import json, struct
raw = open("model.safetensors", "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
header = json.loads(raw[8:8 + n])
manifest = json.loads(header.pop("__metadata__")["allot"])
assert manifest["schema"] == "allot-bundle" and len(manifest["strategies"]) == 6
end = 0
for name, t in header.items():
    size = 4
    for d in t["shape"]:
        size *= d
    assert t["dtype"] == "F32" and t["data_offsets"] == [end, end + size], name
    end += size
assert len(raw) == 8 + n + end and (8 + n) % 8 == 0
END
}

@test "an uncalibrated probe is refused" {
    refuses 4 "*'probe.h5' is not calibrated, so its numbers are no probabilities (run 'allot-calibrate platt' on it, or give --uncalibrated)" export_bundle
}

@test "costs of another strategy set are refused" {
    make_tables . 60 other-strategies
    refuses 5 "*probe.h5*costs.json*allot-collect time*" export_bundle --uncalibrated
}

@test "costs of another generation are refused, naming the field" {
    make_tables . 60 other-costs
    refuses 5 "*probe.h5*costs.json*temperature is 0.8 in the one and 1 in the other*" \
        export_bundle --uncalibrated
}

@test "costs and labels of another version of the grader belong together" {
    jq '.fingerprint.grader = "0"' costs.json > old.json
    mv old.json costs.json
    export_bundle --uncalibrated
    python3 - << 'END'
import json, struct
raw = open("model.safetensors", "rb").read()
manifest = json.loads(json.loads(raw[8:8 + struct.unpack("<Q", raw[:8])[0]])["__metadata__"]["allot"])
assert manifest["fingerprint"] == {"generator": "invented", "temperature": 0.8}, manifest
assert "grading" not in manifest # these outcomes do not tell
END
}

@test "a load that was not timed is refused, listing those that were" {
    refuses 5 "*'costs.json' has no costs at load 3, only at 1*" export_bundle --uncalibrated --load 3
}

@test "costs without seconds make a bundle without seconds" {
    make_tables . 60 no-seconds
    export_bundle --uncalibrated --json | jq -e '.has_seconds == false and .load == 0'
}

@test "wrong files are refused" {
    refuses 2 "*--probe is missing*" allot-export
    head -c 500 probe.h5 > cut.h5
    refuses 4 "*cannot read 'cut.h5'*" export_bundle --probe cut.h5
    echo '{' > broken.json
    refuses 4 "*cannot read 'broken.json'*" export_bundle --uncalibrated --costs broken.json
}
