//! The power goes while the server works.

use moa_durability::Failure;
use moa_durability::cut::Cuts;

/// Cuts in `make test`; `make soak` makes ten times as many.
const CUTS: usize = 10;
/// Cuts of one folder: the first ones fall into its making.
const CUTS_OF_A_FOLDER: usize = 5;
/// The steps of a first start that `make test` passes over; `make soak` cuts at every one.
const FIRST_START_STRIDE: usize = 4;
/// A disk that lies has to be found out within so many.
const LIES: usize = 10;

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_power_cuts_at_any_step() -> Result<(), Failure> {
    let (cuts, first) = (number("MOA_POWER_CUTS", CUTS), number("MOA_SEED", 1));
    let (mut steps, mut acknowledged, mut starts) = (0, 0, 0);
    for (folder, count) in (0..cuts).step_by(CUTS_OF_A_FOLDER).enumerate() {
        let seed = u64::try_from(first + folder)?;
        let mut power = Cuts::new(seed, false)?;
        for index in 0..CUTS_OF_A_FOLDER.min(cuts - count) {
            let cut = power.cut().await.map_err(|error| format!("MOA_SEED={seed}, cut {index}: {error}"))?;
            steps += cut.steps;
            starts += usize::from(!cut.listened);
            acknowledged = acknowledged.max(cut.acknowledged);
        }
    }
    println!(
        "{cuts} cuts after {steps} steps, {starts} of them while starting; most acknowledged: {acknowledged}"
    );
    Ok(())
}

#[test]
fn a_power_cut_in_the_middle_of_the_first_start_leaves_a_folder_that_starts() -> Result<(), Failure> {
    let stride = if number("MOA_POWER_CUTS", CUTS) > CUTS { 1 } else { FIRST_START_STRIDE };
    let mut power = Cuts::new(7, false)?;
    for step in (1..).step_by(stride) {
        if power.cut_first_start(step).map_err(|error| format!("step {step}: {error}"))? {
            println!("{} cuts of a first start of {step} steps", step.div_ceil(stride as u64));
            return Ok(());
        }
    }
    unreachable!("a start has an end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_skips_syncs_is_found_out() -> Result<(), Failure> {
    for seed in 0..u64::try_from(LIES)? {
        let mut power = Cuts::new(seed, true)?;
        for _ in 0..CUTS_OF_A_FOLDER {
            if let Err(found) = power.cut().await {
                println!("found in folder {seed}: {found}");
                return Ok(());
            }
        }
    }
    Err("no loss was found without syncs: the test is blind".into())
}
