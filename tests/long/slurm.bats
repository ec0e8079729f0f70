# SPDX-License-Identifier: Apache-2.0
# collect/slurm on a real Slurm of one node, started here (Debian: slurm-wlm; needs root).

load ../cli/fakeserver
load ../cli/chance

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH:/usr/sbin"
    cd "$BATS_TEST_TMPDIR" || exit 1
    start_slurm
    for ((i = 0; i < 40; i++)); do
        echo "{\"problem\": \"$((2 + i))+$((3 + i % 7))=?\", \"answer\": \"$((5 + i + i % 7))\"}"
    done > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > import.log
    echo '{"schema": "allot-strategies", "version": 1,
           "strategies": ["single", "majority@4", "bon@4", "beam@4x2x6"]}' > s.json
    demo=$BATS_TEST_DIRNAME/../../demo
    allot-demo-server --quiet --port 0 --port-file port --model "$demo/tinymath.gguf" \
        --prm "$demo/tinymath-prm.gguf" 3>&- &
    SERVER=$!
    wait_for_port
    options=(--quiet --dataset p.h5 --strategies s.json --runs 2 --max-tokens 96 --step-max-tokens 24
        --prompt-template 'Q: {problem}\n' --model tinymath --prm-model tinymath-prm)
}
teardown() {
    stop_server
    for daemon in slurmd slurmctld; do
        [ -s $daemon.pid ] || continue
        pid=$(cat $daemon.pid)
        kill "$pid" || continue
        while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
    done
}

# One node, no accounting, no other daemon; skips the test where it does not come up.
start_slurm() {
    local host ports
    mapfile -t ports < <(free_ports 2)
    for program in slurmctld slurmd sbatch scontrol; do
        command -v $program > which.log || skip "no $program (Debian: slurm-wlm)"
    done
    [ "$(id -u)" = 0 ] || skip "Slurm's daemons are started as root only"
    host=$(hostname -s)
    export SLURM_CONF=$PWD/slurm.conf
    mkdir state spool
    cat > slurm.conf <<CONF
ClusterName=allot
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
SlurmctldPidFile=$PWD/slurmctld.pid
SlurmdPidFile=$PWD/slurmd.pid
SlurmctldLogFile=$PWD/slurmctld.log
SlurmdLogFile=$PWD/slurmd.log
StateSaveLocation=$PWD/state
SlurmdSpoolDir=$PWD/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES State=UP OverSubscribe=FORCE:4 MaxTime=INFINITE
CONF
    slurmctld > start.log 2>&1 3>&- && slurmd > start.log 2>&1 3>&- ||
        skip "Slurm does not start here: $(tail -1 start.log)"
    for ((i = 0; i < 100; i++)); do
        sinfo -h -o %T 2> sinfo.log | grep -q idle && return
        sleep 0.2
    done
    skip "Slurm's node does not come up here: $(tail -1 slurmd.log)"
}
# Waits until no job is left.
wait_for_jobs() {
    for ((i = 0; i < 600; i++)); do
        [ -z "$(squeue -h)" ] && return
        sleep 0.5
    done
    squeue
    return 1
}

@test "a job array samples in shards; merged they are the run made at once" {
    script=$BATS_TEST_DIRNAME/../../collect/slurm/sample.sbatch
    allot-collect sample "${options[@]}" --base-url "$URL" --output calm
    echo "$URL" > servers
    ALLOT_SERVERS=servers sbatch --array=1-4 "$script" jobs "${options[@]}" > sbatch.log
    wait_for_jobs
    cat allot-*.log
    allot-collect merge --output run jobs/shard-*
    allot-collect label --quiet calm a.h5
    allot-collect label --quiet run b.h5
    outcomes_equal a.h5 b.h5
}

@test "a task that is interrupted queues again and goes on" {
    script=$BATS_TEST_DIRNAME/../../collect/slurm/sample.sbatch
    export OPENAI_BASE_URL=$URL
    sbatch --array=1-1 "$script" jobs "${options[@]}" --max-concurrency 1 > sbatch.log
    for ((i = 0; i < 200; i++)); do
        [ -s jobs/shard-1/journal.jsonl ] && break
        sleep 0.1
    done
    scancel --batch --signal=INT "$(sed 's/.* //' sbatch.log)_1"
    for ((i = 0; i < 200; i++)); do
        grep -q 'interrupted; what is done is kept' allot-*.log && [ -n "$(squeue -h -t PD -o %i)" ] && break
        sleep 0.1
    done
    grep -q 'interrupted; what is done is kept' allot-*.log
    cp jobs/shard-1/journal.jsonl before
    job=$(squeue -h -o %i)
    [ -n "$job" ] # queued again
    scontrol release "$job" || true
    scontrol update JobId="$job" StartTime=now
    wait_for_jobs
    [ "$(wc -l < jobs/shard-1/journal.jsonl)" -gt "$(wc -l < before)" ]
    cmp before <(head -c "$(stat -c %s before)" jobs/shard-1/journal.jsonl)
    allot-collect merge --output run jobs/shard-1
}
