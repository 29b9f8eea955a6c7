//! What the phone says of its own troubles, with or without a network.

use crate::number::{count, plural};
use crate::{Lang, Unsent};

/// A trouble of the phone itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneText {
    /// The server cannot be reached.
    Offline,
    /// What answered is not our server: a captive portal, a proxy's page.
    NotOurServer,
    /// Nobody is signed in on this phone.
    NotSignedIn,
    /// No space is left; nothing was recorded.
    StorageFull,
    /// The store cannot be opened or written.
    StorageUnavailable,
    /// The store was written by a newer app.
    StorageNewer,
    /// What came from the server does not match its signed heads.
    Integrity,
    /// The server was restored from a backup, and the phone sends again what it may have lost.
    WentBack,
    /// The device's key cannot be used.
    KeyUnavailable,
    /// The device's key store is locked, or the person said no.
    KeyLocked,
    /// The device's key was deleted or invalidated.
    KeyGone,
    /// What was recorded and not sent would be lost: by signing out, or with the app.
    Unsent(Unsent),
    /// The store was broken; a new one was made.
    SetAside {
        /// How many ops were brought over from it.
        brought: u32,
        /// Whether all of it could be read.
        whole: bool,
    },
    /// The server's clock and the phone's lie too far apart.
    ClockOff,
    /// The app was closed meanwhile.
    Closed,
    /// The caller gave something that cannot be: a negative amount, an id that is none.
    BadInput,
    /// What was asked for is not on this phone.
    NotHere,
    /// Devices joined the account without this phone's doing.
    NewDevices {
        /// How many.
        devices: u32,
    },
}

/// What is the matter and what to do.
pub fn phone(lang: Lang, what: PhoneText) -> String {
    match what {
        PhoneText::Offline => text!(
            lang,
            "서버에 연결되지 않았어요. 기록은 휴대폰에 남아 있고 연결되면 저절로 보내져요.",
            "The server cannot be reached. What you record is kept here and sent once there is a connection.",
        ),
        PhoneText::NotOurServer => text!(
            lang,
            "모아 서버가 아닌 곳이 답했어요. 와이파이 로그인이 필요한지 확인해 주세요.",
            "Something other than the Moa server answered. See whether the Wi-Fi wants you to sign in.",
        ),
        PhoneText::NotSignedIn => text!(
            lang,
            "로그인하지 않았어요. 전화번호로 로그인해 주세요.",
            "Nobody is signed in. Sign in with your phone number.",
        ),
        PhoneText::StorageFull => text!(
            lang,
            "휴대폰에 남은 공간이 없어서 기록하지 못했어요. 공간을 비우고 다시 해 주세요.",
            "No space is left on this phone, so nothing was recorded. Free some space and try again.",
        ),
        PhoneText::StorageUnavailable => text!(
            lang,
            "휴대폰의 저장소를 열 수 없어요. 앱을 닫고 다시 열어 주세요.",
            "This phone's storage cannot be opened. Close the app and open it again.",
        ),
        PhoneText::StorageNewer => text!(
            lang,
            "더 새로운 앱이 쓴 저장소예요. 앱을 업데이트해 주세요.",
            "This phone's storage was written by a newer app. Update the app.",
        ),
        PhoneText::Integrity => text!(
            lang,
            "받은 내역이 서버의 서명과 맞지 않아요. 처음부터 다시 받고, 되풀이되면 알려 주세요.",
            "What came does not match the server's signature. Fetch everything anew; if it happens again, tell us.",
        ),
        PhoneText::WentBack => text!(
            lang,
            "서버가 백업에서 복구됐어요. 그 뒤의 내역을 이 휴대폰이 다시 보내요. 연결해 두세요.",
            "The server was restored from a backup. This phone sends again what came after; stay connected.",
        ),
        PhoneText::KeyUnavailable => text!(
            lang,
            "이 휴대폰의 열쇠를 쓸 수 없어요. 휴대폰을 다시 시작하고, 되풀이되면 알려 주세요.",
            "This phone's key cannot be used. Restart the phone; if it happens again, tell us.",
        ),
        PhoneText::KeyLocked => text!(
            lang,
            "휴대폰이 잠겨 있어서 기록하지 못했어요. 잠금을 풀고 다시 해 주세요.",
            "The phone is locked, so nothing was recorded. Unlock it and try again.",
        ),
        PhoneText::KeyGone => text!(
            lang,
            "이 휴대폰의 열쇠가 사라졌어요. 전화번호로 다시 로그인해 주세요.",
            "This phone's key is gone. Sign in again with your phone number.",
        ),
        PhoneText::Unsent(unsent) => {
            let what = unsent.text(lang);
            text!(
                lang,
                "{what}을 아직 보내지 못했어요. 로그아웃하거나 앱을 지우면 사라지니 먼저 연결해 주세요.",
                "Waiting to be sent: {what}. Connect first: signing out or removing the app would lose it.",
            )
        }
        PhoneText::SetAside { brought: 0, whole: true } => text!(
            lang,
            "휴대폰의 저장소가 망가져서 새로 만들었어요. 보내지 않은 기록은 없었어요.",
            "This phone's storage was damaged and made anew. Nothing in it was waiting to be sent.",
        ),
        PhoneText::SetAside { brought: 0, whole: false } => text!(
            lang,
            "휴대폰의 저장소가 망가져서 새로 만들었어요. 일부를 읽지 못했으니 마지막 기록을 확인해 주세요.",
            "This phone's storage was damaged and made anew. Not all could be read: check what you recorded last.",
        ),
        PhoneText::SetAside { brought, whole: true } => {
            let (ko, en) = (count(brought), plural(brought, "record", "records"));
            text!(
                lang,
                "휴대폰의 저장소가 망가져서 새로 만들었어요. 보내지 않은 기록 {ko}건을 옮겼고 연결되면 보내져요.",
                "This phone's storage was damaged and made anew. {en} from it will be sent once there is a connection.",
            )
        }
        PhoneText::SetAside { brought, whole: false } => {
            let (ko, en) = (count(brought), plural(brought, "record", "records"));
            text!(
                lang,
                "휴대폰의 저장소가 망가져서 새로 만들고 기록 {ko}건을 옮겼어요. 일부를 읽지 못했으니 마지막 기록을 확인해 주세요.",
                "This phone's storage was damaged and made anew, with {en} from it. Check what you recorded last.",
            )
        }
        PhoneText::ClockOff => text!(
            lang,
            "휴대폰의 시계가 맞지 않아요. 설정에서 시간을 자동으로 맞춰 주세요.",
            "This phone's clock is off. Let the settings set the time automatically.",
        ),
        PhoneText::Closed => text!(
            lang,
            "앱이 닫혀서 마치지 못했어요. 다시 열고 확인해 주세요.",
            "The app was closed before this was done. Open it again and check.",
        ),
        PhoneText::BadInput => text!(
            lang,
            "적은 내용을 쓸 수 없어요. 고쳐서 다시 해 주세요.",
            "What was entered cannot be used. Correct it and try again.",
        ),
        PhoneText::NotHere => text!(
            lang,
            "찾는 내용이 이 휴대폰에 없어요. 연결한 뒤에 새로 고쳐 주세요.",
            "That is not on this phone. Connect and refresh.",
        ),
        PhoneText::NewDevices { devices } => {
            let (ko, en) = (count(devices), plural(devices, "new device", "new devices"));
            text!(
                lang,
                "새 기기 {ko}대가 내 계정에 들어왔어요. 내가 한 일이 아니면 기기 목록에서 바로 해지해 주세요.",
                "Joined to your account: {en}. If that was not you, remove it now in your list of devices.",
            )
        }
    }
}
