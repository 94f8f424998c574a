//! What runs beside the data path, in one thread: signals, the answers on the loopback address, the
//! look at the sensor once a second.
//!
//! In: signals, questions, the board. Out: the end of the source, answers, the view on a terminal.
//! The data path never waits for this thread.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use super::serve::{Asked, serve};
use super::status::{Observer, Status};
use super::view::View;
use crate::capture::Stop;
use crate::config::Config;
use crate::replay::ReplayError;
use crate::stats::Board;

/// How long flows may take to be closed and written after the first signal. A service manager
/// kills what takes longer; what is not written by then is lost either way, and this way is told.
const GRACE: Duration = Duration::from_millis(9_500);

/// How often the sensor is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Looks without a batch, full or empty, after which the sensor is not called alive any more: what
/// reads packets waits a tenth of a second for them.
const STILL_LOOKS_MAX: u32 = 10;

/// Everything that needs a right, and no thread yet.
pub(super) struct Prepared {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    stop: Stop,
    board: Arc<Board>,
    file: Option<PathBuf>,
}

/// Takes the address and the signals.
///
/// # Errors
/// The system has no signals or not the address that was configured.
pub(super) fn prepare(
    config: &Config,
    file: Option<&Path>,
    stop: Stop,
    board: Arc<Board>,
    view: View,
) -> Result<Prepared, ReplayError> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let listener = listen(config)?;
    let looks = Arc::new(Looks::default());
    let observer = Observer::new(&config.sensor.name, &config.capture.interfaces);
    let (terminate, interrupt, hang_up) = {
        let _inside = runtime.enter();
        if let Some(listener) = listener {
            let asked = Asking { looks: Arc::clone(&looks) };
            let listener = TcpListener::from_std(listener)?;
            runtime.spawn(serve(listener, Arc::new(asked)));
        }
        let of = |kind| signal(kind);
        (of(SignalKind::terminate())?, of(SignalKind::interrupt())?, of(SignalKind::hangup())?)
    };
    let budget = config.memory.budget.0;
    let (has_stopped, looked_at) = (stop.clone(), Arc::clone(&board));
    runtime
        .spawn(async move { look(observer, &looked_at, &looks, view, &has_stopped, budget).await });
    let file = file.map(Path::to_owned);
    Ok(Prepared { runtime, terminate, interrupt, hang_up, stop, board, file })
}

impl Prepared {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has none.
    pub(super) fn start(self) -> Result<(), ReplayError> {
        let Self { runtime, mut terminate, mut interrupt, mut hang_up, stop, board, file } = self;
        let listen = async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => break,
                    _ = interrupt.recv() => break,
                    _ = hang_up.recv() => reload(file.as_deref(), &board),
                }
            }
            tracing::info!("stopping: flows are closed and rows written");
            stop.ask();
            tokio::time::sleep(GRACE).await;
            tracing::error!("not done in time; rows that were not written are lost");
            std::process::exit(1);
        };
        let run = move || runtime.block_on(listen);
        std::thread::Builder::new().name("beside".to_owned()).spawn(run)?;
        Ok(())
    }
}

/// Asks everyone to read again what they have read, if the configuration is sound. One that is not
/// changes nothing.
fn reload(file: Option<&Path>, board: &Board) {
    match Config::load(file) {
        Ok(_) => {
            let reload = board.ask_reload();
            tracing::info!(reload, "reloading: what is read while the sensor runs is read again");
        }
        Err(error) => tracing::error!("not reloaded, nothing has changed: {error}"),
    }
}

/// Listens at the configured address. One that nobody configured may be taken.
fn listen(config: &Config) -> Result<Option<std::net::TcpListener>, ReplayError> {
    let address = config.metrics.address();
    if address == "off" {
        return Ok(None);
    }
    let bound = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    match bound {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if config.metrics.listen.is_none() => {
            tracing::warn!(
                "no metrics: cannot listen at {address}: {error}; name another address as \
                 `listen` below `[metrics]`"
            );
            Ok(None)
        }
        Err(error) => {
            Err(format!("cannot listen at {address} (`listen` below `[metrics]`): {error}").into())
        }
    }
}

/// The latest look at the sensor.
#[derive(Default)]
struct Looks {
    status: Mutex<Status>,
    is_still: AtomicBool,
}

struct Asking {
    looks: Arc<Looks>,
}

impl Asked for Asking {
    fn status(&self) -> Status {
        self.looks.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_alive(&self) -> bool {
        !self.looks.is_still.load(Ordering::Relaxed)
    }
}

/// Looks at the sensor until it stops, and asks for room when it holds more than `budget` bytes.
async fn look(
    mut observer: Observer,
    board: &Board,
    looks: &Looks,
    view: View,
    stop: &Stop,
    budget: u64,
) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut pulse, mut still_looks) = (0, 0);
    while !stop.is_asked() {
        ticks.tick().await;
        let status = observer.look(board);
        if status.memory_bytes > budget {
            board.ask_relief();
        }
        view.show(&status);
        *looks.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        let beat = board.pulse();
        still_looks = if beat == pulse { still_looks + 1 } else { 0 };
        pulse = beat;
        looks.is_still.store(still_looks > STILL_LOOKS_MAX, Ordering::Relaxed);
    }
    view.end();
}
