<?php
// A gateway on PHP's own SoapServer: /plain without a description, /wsdl with one, the same five methods behind both.
declare(strict_types=1);

class Gateway
{
    private function refuse(string $user, string $pass): ?array
    {
        return $user === 'a-user' && $pass === 'a-password' ? null : ['ErrCode' => '-1', 'result' => 'چه کسی؟'];
    }

    public function GetCredit($user, $pass)
    {
        return $this->refuse($user, $pass) ?? ['ErrCode' => '0', 'result' => '12345.5'];
    }

    public function SendSMS($user, $pass, $fromNum, $toNum, $messageContent)
    {
        if ($fromNum === '50009') {
            return ['ErrCode' => '-5', 'result' => 'خط'];
        }
        if ($messageContent === 'throw') {
            throw new SoapFault('Server', 'something broke');
        }
        file_put_contents(getenv('PAYAMAK_LOG'), json_encode([$fromNum, $toNum, $messageContent]) . "\n", FILE_APPEND);
        return ['ErrCode' => '0', 'result' => array_map(fn ($to) => (string) (int) $to, $toNum)];
    }

    public function SendMultipleSMS($user, $pass, $fromNum, $toNums, $messageContents)
    {
        file_put_contents(getenv('PAYAMAK_LOG'), json_encode([$fromNum, $toNums, $messageContents]) . "\n", FILE_APPEND);
        return array_map(
            fn ($to, $text) => $text === 'refuse me'
                ? ['ErrCode' => '-3', 'result' => 'خطا']
                : ['ErrCode' => '0', 'result' => (string) (int) $to],
            $toNums,
            $messageContents
        );
    }

    public function GetStatus($user, $pass, $unique_ids)
    {
        return ['ErrCode' => 0, 'result' => array_map(fn ($id) => (int) $id % 6 + 1, $unique_ids)];
    }

    public function GetMsg($user, $pass)
    {
        $message = ['from' => '+989121111111', 'to' => '+9850001', 'msg' => 'سلام & <b> ]]>', 'time' => '1508144471'];
        return $this->refuse($user, $pass) ?? ['ErrCode' => 0, 'result' => [$message, $message]];
    }
}

$described = str_starts_with($_SERVER['REQUEST_URI'], '/wsdl');
ini_set('soap.wsdl_cache_enabled', '0');
$server = $described
    ? new SoapServer(__DIR__ . '/gateway.wsdl', ['cache_wsdl' => WSDL_CACHE_NONE])
    : new SoapServer(null, ['uri' => 'urn:smsserver']);
if (!str_ends_with($_SERVER['REQUEST_URI'], '-empty')) {
    $server->setClass('Gateway');
}
$server->handle();
